import type { Log } from './ports.ts';

/** Structured log: one line of JSON each, for CloudWatch and for whoever redirects a command's stderr. */
export function jsonLog(write: (line: string) => void): Log {
  const at = (level: string) => (message: string, facts?: Record<string, unknown>) =>
    write(JSON.stringify({ time: new Date().toISOString(), level, message, ...facts }));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
