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

/** Only whoever fixes a defect needs its stack. */
const debug = debuglog('secure-score');

/** Any error as one that a person can act on: an error of the system is theirs to fix, anything else is a defect. */
export function asMonitorError(error: unknown): MonitorError {
  if (error instanceof MonitorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  debug('%s', error instanceof Error ? error.stack : message);
  const advice = SYSTEM_ADVICE[codeOf(error)];
  if (codeOf(error) === 'ERR_MODULE_NOT_FOUND') {
    return new MonitorError(
      'packages-missing',
      message,
      'The packages installed here are not those of this version: run npm ci in the folder of secure-score-monitor, as after each update.',
      { cause: error },
    );
  }
  if (advice !== undefined) return new MonitorError('system-refused', message, advice, { cause: error });
  return new MonitorError(
    'unexpected',
    message,
    'This is a defect of secure-score-monitor: please report it, with the output of the same command when NODE_DEBUG=secure-score is set.',
    { cause: error },
  );
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const DENIED =
  'Give the user that runs this read and write access to the path above, or choose another path.';
const FULL = 'Make room on the disk (or raise the quota), then run it again.';

/** By the code of a system error: https://nodejs.org/api/errors.html#common-system-errors */
const SYSTEM_ADVICE: Record<string, string> = {
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: 'The disk is read-only: choose a path on another one.',
  ENOENT: 'Check the path above.',
  ENOTDIR: 'A part of the path above is a file: choose another path.',
  EISDIR: 'The path above is a folder: choose a file.',
  EEXIST: 'Something already exists there: move it away, or choose another path.',
  ELOOP: 'Symbolic links on the path above form a circle: repair them.',
  ENAMETOOLONG: 'Choose a shorter path.',
  ENOSPC: FULL,
  EDQUOT: FULL,
  EMFILE: 'Too many files are open: raise the limit (ulimit -n), then run it again.',
};
