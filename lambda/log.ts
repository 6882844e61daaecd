import { Logger } from '@aws-lambda-powertools/logger';
import { MonitorError } from './errors.ts';
import type { Log } from './ports.ts';

/** The part of Lambda's context that the log contains. */
export interface InvocationContext {
  awsRequestId: string;
  functionName?: string;
  functionVersion?: string;
  invokedFunctionArn?: string;
  memoryLimitInMB?: string;
}

/** The log of the function: each line is JSON, so that CloudWatch Logs Insights reads it field by field. */
export interface FunctionLog extends Log {
  /** Does the work of one invocation. Its lines have its request id, and its error is logged and thrown again. */
  invocation<T>(context: InvocationContext, work: () => Promise<T>): Promise<T>;
  /** Adds keys to all following lines of this invocation. */
  about(keys: Record<string, string>): void;
}

/** @param service the deployment's name, on every line */
export function functionLog(service: string): FunctionLog {
  const logger = new Logger({ serviceName: service });
  return {
    async invocation(context, work) {
      const { awsRequestId, functionName = '', functionVersion = '' } = context;
      const { invokedFunctionArn = '', memoryLimitInMB = '' } = context;
      logger.resetKeys();
      logger.addContext({ awsRequestId, functionName, functionVersion, invokedFunctionArn, memoryLimitInMB });
      try {
        return await work();
      } catch (error) {
        // The error is logged with its advice, which Lambda's own log line lacks.
        if (error instanceof MonitorError) {
          const { code, message, advice, retryable } = error;
          logger.error('the invocation failed', { code, error: message, advice, retryable });
        }
        throw error;
      }
    },
    about: (keys) => logger.appendKeys(keys),
    info: (message, facts = {}) => logger.info(message, facts),
    warn: (message, facts = {}) => logger.warn(message, facts),
    error: (message, facts = {}) => logger.error(message, facts),
  };
}
