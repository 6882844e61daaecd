import { createHash, randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pemFileSource } from '../certificate/pem-file.ts';
import { MonitorError, quote } from '../errors.ts';
import type { CertificateStore, Version } from './ports.ts';

const MODE = 0o600;
/** The line above the bundle that holds the id of the version. Readers of PEM ignore it. */
const MARK = /^# secure-score-monitor renewal ([0-9a-f-]{36})$/m;

/**
 * A PEM file. The next bundle lies beside it as `<file>.next`, the previous one as `<file>.previous`. Each is readable
 * only by its owner and is written atomically.
 */
export function fileCertificate(file: string): CertificateStore {
  const path = resolve(file);
  const next = `${path}.next`;
  const previous = `${path}.previous`;

  const versionOf = (pem: string): Version => ({
    id: MARK.exec(pem)?.[1] ?? createHash('sha256').update(pem).digest('hex'),
    pem,
  });
  const read = async (from: string): Promise<Version | null> => {
    const pem = await unlessMissing(readFile(from, 'utf8'));
    return pem === null ? null : versionOf(pem);
  };

  /** @param place moves the finished file to where it belongs */
  async function write(pem: string, place: (temporary: string) => Promise<void>): Promise<void> {
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      const handle = await open(temporary, 'wx', MODE);
      try {
        await handle.writeFile(pem);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await place(temporary);
    } catch (error) {
      throw unwritable(error);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  function unwritable(error: unknown): MonitorError {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return new MonitorError(
      'file-unwritable',
      `The certificate beside ${quote(file)} cannot be written (${reason}).`,
      'Let the user that runs this write to the folder of the file, and nobody else.',
      { cause: error },
    );
  }

  return {
    async look() {
      const current = versionOf(await pemFileSource(file).read());
      const staged = await read(next);
      return {
        name: path,
        current,
        next: staged?.id === current.id ? null : staged,
        previous: (await read(previous))?.id ?? null,
      };
    },
    async stage(id, pem) {
      if ([await read(next), await read(path)].some((version) => version?.id === id)) return;
      // The file of an earlier renewal may go, because no state refers to it any more: see `prepare`.
      await rm(next, { force: true });
      await write(`# secure-score-monitor renewal ${id}\n${pem}`, async (temporary) => {
        // If two renewals write at once, the first one counts.
        await link(temporary, next).catch((error: unknown) => {
          if (codeOf(error) !== 'EEXIST') throw error;
        });
      });
    },
    async promote(id, from) {
      const current = await read(path);
      if (current?.id !== from || (await read(next))?.id !== id) return false;
      await write(current.pem, (temporary) => rename(temporary, previous));
      await rename(next, path).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw unwritable(error);
      });
      return (await read(path))?.id === id;
    },
    async unstage(id) {
      if ((await read(next))?.id === id) await rm(next, { force: true });
    },
    async forget(id) {
      if ((await read(previous))?.id === id) await rm(previous, { force: true });
    },
  };
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
