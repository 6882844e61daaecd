import { MonitorError, quote } from '../errors.ts';
import { readTextFile } from '../text-file.ts';
import { commandLine } from '../command-line.ts';

/**
 * A PEM bundle in a file, the same for all tenants.
 * @throws on read: MonitorError `certificate-not-found`, `certificate-not-readable`
 */
export function pemFileSource(path: string): { read(): Promise<string> } {
  return {
    async read() {
      try {
        return await readTextFile(path);
      } catch (error) {
        throw explain(path, error instanceof Error && 'code' in error ? error.code : error);
      }
    },
  };
}

function explain(path: string, code: unknown): MonitorError {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new MonitorError(
        'certificate-not-found',
        `There is no certificate file ${quote(path)}.`,
        `Pass the path of a PEM file with the certificate and its unencrypted key. To create one: ${commandLine('certificate create')}`,
      );
    case 'EISDIR':
      return new MonitorError(
        'certificate-not-readable',
        `${quote(path)} is a folder, not a certificate file.`,
        'Pass the path of the PEM file itself.',
      );
    default:
      return new MonitorError(
        'certificate-not-readable',
        `The certificate file ${quote(path)} cannot be read (${quote(code)}).`,
        'Give read access to the user that runs this, and to nobody else: chmod 600, chown.',
      );
  }
}
