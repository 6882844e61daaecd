import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, onTestFinished } from 'vitest';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { MemoryStore } from '../run/fakes.ts';
import { archiveContract } from './archive-contract.ts';

describe('on a folder', () => {
  archiveContract(async () => {
    const root = await mkdtemp(join(tmpdir(), 'archive-'));
    onTestFinished(() => rm(root, { recursive: true }));
    return folderStore(root);
  });
});

// The fake of the other tests has to keep to the same.
describe('in memory', () => {
  archiveContract(async () => new MemoryStore());
});
