import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { unsealed } from './sealed.ts';
import { bytes } from './store-contract.ts';
import { kill, temporaryRoots, writer } from './writers.ts';

const newRoot = temporaryRoots();

describe('processes', () => {
  test(
    'that are killed leave complete objects, a complete state and no lock',
    { timeout: 60_000 },
    async () => {
      const root = await newRoot();
      const seen = { state: 0, objects: 0, killedInside: 0 };
      for (let round = 0; round < 8; round += 1) {
        const children = [writer(root, 'churn'), writer(root, 'churn')];
        await Promise.all(children.map((child) => once(child.stdout, 'data')));
        await sleep(20 + Math.random() * 60);
        await Promise.all(children.map((child) => kill(child)));
        seen.killedInside += (await readdir(path.join(root, '.tmp'))).length > 0 ? 1 : 0;

        const store = folderStore(root);
        const keys = await store.list('objects/');
        for (const key of keys.slice(-4)) {
          expect(unsealed((await store.get(key))?.bytes ?? bytes(''))).toBe(Number(path.basename(key)));
        }
        expect(keys.length).toBeGreaterThanOrEqual(seen.objects);
        const state = await store.get('state/a.json');
        const now = unsealed(state?.bytes ?? bytes(''));
        expect(now).toBeGreaterThanOrEqual(seen.state);
        Object.assign(seen, { state: now, objects: keys.length });

        const start = performance.now();
        expect(
          await store.replace('state/a.json', state?.bytes ?? bytes(''), state?.version ?? null),
        ).toBeDefined();
        expect(performance.now() - start).toBeLessThan(2_000);
        expect(await readdir(path.join(root, '.tmp'))).toEqual([]); // swept
      }
      // The test means something only if kills did hit writes.
      expect(seen.killedInside).toBeGreaterThan(0);
      const store = folderStore(root);
      for (const key of await store.list('objects/')) {
        expect(unsealed((await store.get(key))?.bytes ?? bytes(''))).toBe(Number(path.basename(key)));
      }
    },
  );
});
