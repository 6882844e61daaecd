import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Tenant } from '../../lambda/config.ts';
import { MonitorError, quote } from '../../lambda/errors.ts';
import { fromFunctionError } from '../../lambda/function-error.ts';
import { proxyAgents } from '../../lambda/proxy.ts';
import type { RunResult } from '../../lambda/run/run.ts';
import { asked } from '../shared/aws.ts';
import { DEPLOY } from '../shared/deployment.ts';

/** Longer than any function may run (15 minutes), so that Lambda ends it and not the client; it is never retried. */
const LONG = {
  maxAttempts: 1,
  get requestHandler() {
    return {
      connectionTimeout: 4_000,
      requestTimeout: 16 * 60_000,
      throwOnRequestTimeout: true,
      ...proxyAgents(),
    };
  },
};

/** Runs the deployed function for a tenant and waits for its result. @throws those of `invoker` */
export function functionRunner(
  functionName: string,
  client?: LambdaClient,
): (tenant: Tenant) => Promise<RunResult> {
  const invoke = invoker<RunResult>(functionName, client);
  return (tenant) => invoke({ tenant });
}

/**
 * Invokes a deployed function and waits for its result.
 * @throws MonitorError: what the function threw, `function-missing`, `function-busy`, and those of `asked`
 */
export function invoker<Result>(
  functionName: string,
  client = new LambdaClient(LONG),
): (event: object) => Promise<Result> {
  return async (event) => {
    const { FunctionError, Payload } = await asked(
      'lambda:InvokeFunction',
      `the function ${quote(functionName)}`,
      client.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) })),
      {
        ResourceNotFoundException: () =>
          new MonitorError('function-missing', `There is no function ${quote(functionName)}.`, DEPLOY),
        TooManyRequestsException: () =>
          new MonitorError(
            'function-busy',
            `Lambda cannot run the function ${quote(functionName)} now: all its concurrent executions are in use.`,
            'Run again in a minute.',
            { retryable: true },
          ),
      },
    );
    const payload = Payload?.transformToString() ?? '';
    if (FunctionError !== undefined) throw fromFunctionError(payload);
    return JSON.parse(payload) as Result;
  };
}
