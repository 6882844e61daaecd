/** A process that uses a folder store until it is done or killed: `node writer.ts <root> count|churn|hold <…>`. */
import path from 'node:path';
import { withLock } from '../../lambda/archive/folder-lock.ts';
import { folderStore } from '../../lambda/archive/folder-store.ts';
import { sealed, unsealed } from './sealed.ts';
import { count } from './store-contract.ts';

const [root = '', mode, argument = ''] = process.argv.slice(2);
const store = folderStore(root);

if (mode === 'count') {
  await count(store, 'state/counter', Number(argument));
} else if (mode === 'hold') {
  // Once it says so, it holds the lock until it is killed.
  await withLock(path.join(root, '.tmp'), argument, 'a test', async () => {
    console.log('held');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });
} else {
  for (let n = 0; ; n += 1) {
    await store.create(`objects/${process.pid}/${n}`, sealed(n));
    const found = await store.get('state/a.json');
    await store.replace(
      'state/a.json',
      sealed(found === undefined ? 1 : unsealed(found.bytes) + 1),
      found?.version ?? null,
    );
    if (n === 0) console.log('under way');
  }
}
