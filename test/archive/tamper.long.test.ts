import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe } from 'vitest';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { tamperMatrix } from './tamper-matrix.ts';

const root = await mkdtemp(path.join(tmpdir(), 'tamper-'));
afterAll(() => rm(root, { recursive: true }));

describe('on a folder', () => {
  tamperMatrix(async () => {
    const folder = await mkdtemp(path.join(root, 'archive-'));
    return {
      store: folderStore(folder),
      put: async (key, bytes) => {
        const file = path.join(folder, key);
        await mkdir(path.dirname(file), { recursive: true });
        await rm(file, { force: true });
        await writeFile(file, bytes);
      },
      remove: (key) => rm(path.join(folder, key)),
    };
  });
});
