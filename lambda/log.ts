import { Logger } from '@aws-lambda-powertools/logger';
import { MonitorError } from './errors.ts';
import type { Log } from './ports.ts';

/** What of Lambda's context the log names. */
export interface InvocationContext {
  awsRequestId: string;
  functionName?: string;
  functionVersion?: string;
  invokedFunctionArn?: string;
  memoryLimitInMB?: string;
}

/** The log of the function: a line of JSON each, that CloudWatch Logs Insights reads field by field. */
export interface FunctionLog extends Log {
  /** Does the work of one invocation: its lines carry its request id, and what it throws is logged and thrown on. */
  invocation<T>(context: InvocationContext, work: () => Promise<T>): Promise<T>;
  /** For the lines of this invocation that follow. */
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
        // Lambda logs the error too, but not what to do about it.
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
