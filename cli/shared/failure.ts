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

function asMonitorError(error: unknown): MonitorError {
  if (error instanceof MonitorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const advice = 'This is a defect of secure-score-monitor: please report it.';
  return new MonitorError('unexpected', message, advice, { cause: error });
}
