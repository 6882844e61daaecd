import { debuglog } from 'node:util';
import { MonitorError } from '../../lambda/errors.ts';

/** An error as `--json` prints it. */
export interface Failure {
  code: string;
  message: string;
  advice: string;
}

export function failureOf(error: unknown): Failure {
  const { code, message, advice } = asMonitorError(error);
  return { code, message, advice };
}

/** Whoever mends a defect needs its stack; nobody else does. */
const debug = debuglog('secure-score');

/** Any error as one that a person can act on: what the system refuses is theirs to mend, what is left is a defect. */
export function asMonitorError(error: unknown): MonitorError {
  if (error instanceof MonitorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  debug('%s', error instanceof Error ? error.stack : message);
  const advice = SYSTEM_ADVICE[codeOf(error)];
  if (advice !== undefined) return new MonitorError('system-refused', message, advice, { cause: error });
  return new MonitorError(
    'unexpected',
    message,
    'This is a defect of secure-score-monitor: please report it, with what the same command prints where NODE_DEBUG=secure-score is set.',
    { cause: error },
  );
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const DENIED = 'Let the user that runs this read and write what is named above, or name another place.';
const FULL = 'Make room on the disk (or raise the quota), then run it again.';

/** By the code of a system error: https://nodejs.org/api/errors.html#common-system-errors */
const SYSTEM_ADVICE: Record<string, string> = {
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: 'The disk can only be read: name a place on another one.',
  ENOENT: 'Look whether the path named above is what you mean.',
  ENOTDIR: 'A part of the path named above is a file: name another place.',
  EISDIR: 'The path named above is a folder: name a file.',
  EEXIST: 'Something lies there already: move it away, or name another place.',
  ELOOP: 'Symbolic links on the path named above lead round in a circle: mend them.',
  ENAMETOOLONG: 'Name a shorter path.',
  ENOSPC: FULL,
  EDQUOT: FULL,
  EMFILE: 'Too many files are open: raise the limit (ulimit -n), then run it again.',
};
