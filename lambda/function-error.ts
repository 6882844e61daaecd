import { MonitorError, quote } from './errors.ts';

/**
 * How an error crosses the border of Lambda, which lets out its name (`errorType`) and message (`errorMessage`) and
 * nothing else: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html. So what the function throws
 * has the code for its name, and the advice as the last line of its message: for `run --deployed`, and for whoever
 * finds it in a log or behind the function's failure destination.
 */

const ADVICE = '\n→ ';

/** What the function throws: the same error, with all of it in what Lambda lets out. */
export function toFunctionError(error: unknown): unknown {
  if (!(error instanceof MonitorError)) return error;
  const { code, message, advice, retryable, cause } = error;
  const retyped = new MonitorError(code, `${message}${ADVICE}${advice}`, advice, { retryable, cause });
  retyped.name = code;
  return retyped;
}

/**
 * The error again, out of the payload of a failed invocation.
 * @returns `function-timed-out` or `function-failed` where the function did not get to say what was wrong
 */
export function fromFunctionError(payload: string): MonitorError {
  const { errorType, errorMessage } = parse(payload);
  const at = errorMessage.lastIndexOf(ADVICE);
  if (at >= 0 && /^[a-z][a-z0-9-]*$/.test(errorType)) {
    return new MonitorError(errorType, errorMessage.slice(0, at), errorMessage.slice(at + ADVICE.length));
  }
  if (/Task timed out/.test(errorMessage)) {
    return new MonitorError(
      'function-timed-out',
      `The function was stopped at its time limit: ${quote(errorMessage, 300)}.`,
      'Run again: it goes on where it stopped. If it lasts, look into the log of the function.',
      { retryable: true },
    );
  }
  return new MonitorError(
    'function-failed',
    `The function failed: ${quote(errorType)}, ${quote(errorMessage, 300)}.`,
    'Look into the log of the function. If the deployment is not the newest, deploy again.',
  );
}

function parse(payload: string): { errorType: string; errorMessage: string } {
  try {
    const { errorType, errorMessage } = JSON.parse(payload) as Record<string, unknown>;
    return { errorType: String(errorType), errorMessage: String(errorMessage) };
  } catch {
    return { errorType: 'unknown', errorMessage: payload };
  }
}
