import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from 'vitest';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { storeContract } from './store-contract.ts';

describe('a folder', () => {
  storeContract(
    async () => folderStore(await mkdtemp(path.join(tmpdir(), 'store-'))),
    (store) => folderStore(store.location),
  );
});
