import { ACTING } from './characters.ts';

/**
 * An error that a person can act on. `message` quotes the offending value and says what is wrong, `advice` says
 * what to do. Neither ever holds a secret, a token or a key: both are printed, logged and mailed.
 */
export class MonitorError extends Error {
  /** Stable, kebab-case, for programs: the `code` of `run --json`. */
  readonly code: string;
  /** What the operator does next. */
  readonly advice: string;
  /** True if the same run may succeed later without anybody doing anything. */
  readonly retryable: boolean;

  constructor(
    code: string,
    message: string,
    advice: string,
    options: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'MonitorError';
    this.code = code;
    this.advice = advice;
    this.retryable = options.retryable ?? false;
  }
}

/** The same error, which advises something else as well; anything but a MonitorError as it is. */
export function alsoAdvising(error: unknown, advice: string): unknown {
  if (!(error instanceof MonitorError)) return error;
  const { code, message, retryable } = error;
  return new MonitorError(code, message, `${error.advice} ${advice}`, { retryable, cause: error });
}

/**
 * A message that did not get through. As for all errors, `retryable` is false if somebody has to act; operations are then
 * notified at once.
 */
export class DeliveryError extends MonitorError {
  /** True if the receiver is gone, or refuses this message permanently. Otherwise the message waits, for at most 7 days. */
  readonly final: boolean;
  /** The time, in ms, that the receiver asks to wait; null if it does not ask. */
  readonly retryAfter: number | null;

  constructor(
    code: string,
    message: string,
    advice: string,
    options: { retryable?: boolean; final?: boolean; retryAfter?: number | null; cause?: unknown } = {},
  ) {
    super(code, message, advice, options);
    this.name = 'DeliveryError';
    this.final = options.final ?? false;
    this.retryAfter = options.retryAfter ?? null;
  }
}

/**
 * Quotes a foreign value for an error text: one line, bounded, without characters that act on the text around them. A
 * text is in quotation marks, anything else is JSON.
 */
export function quote(value: unknown, length = 120): string {
  const text = typeof value === 'string' ? value : inSource(value);
  // Blanks at its ends may be what is wrong with it; line breaks there come with every foreign message.
  const line = text
    .replace(/^[\r\n]+|[\r\n]+$/g, '')
    .replace(ACTING, ' ')
    .replace(/\s+/g, ' ');
  const short = line.length > length ? `${line.slice(0, length - 1)}…` : line;
  return typeof value === 'string' ? `"${short}"` : short;
}

/** Writes the values of a config in JavaScript that JSON does not have. */
function inSource(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return String(value);
  if (typeof value === 'number') return `${value}`;
  try {
    return JSON.stringify(value);
  } catch {
    return 'an object that cannot be written as JSON';
  }
}
