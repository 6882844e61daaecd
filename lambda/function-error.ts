import { MonitorError, quote } from './errors.ts';

/**
 * The form in which an error leaves Lambda, which passes on only its name (`errorType`) and message (`errorMessage`):
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html. The function therefore throws errors with the code
 * as their name and the advice as the last line of their message, for `run --deployed` and for readers of the log or of
 * the function's failure destination.
 */

const ADVICE = '\n→ ';

/** The error as the function throws it, with all its facts in the fields that Lambda passes on. */
export function toFunctionError(error: unknown): unknown {
  if (!(error instanceof MonitorError)) return error;
  const { code, message, advice, retryable, cause } = error;
  const retyped = new MonitorError(code, `${message}${ADVICE}${advice}`, advice, { retryable, cause });
  retyped.name = code;
  return retyped;
}

/**
 * Reads the error from the payload of a failed invocation.
 * @returns `function-timed-out` or `function-failed` if the function could not report the reason itself
 */
export function fromFunctionError(payload: string): MonitorError {
  const { errorType, errorMessage } = parse(payload);
  const at = errorMessage.lastIndexOf(ADVICE);
  if (at >= 0) {
    // What stands between may give the error another name (`Runtime.…`), but it leaves the message alone.
    const code = /^[a-z][a-z0-9-]*$/.test(errorType) ? errorType : 'function-failed';
    return new MonitorError(code, errorMessage.slice(0, at), errorMessage.slice(at + ADVICE.length));
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
