import { expect } from 'vitest';
import { Archive } from '../../lambda/archive/archive.ts';
import { layout } from '../../lambda/archive/layout.ts';
import { checkChain, contentsOf, sha256, type Entry } from '../../lambda/archive/ledger.ts';
import { PEM, TENANT_ID, type MemoryStore } from './fakes.ts';

export const ledgerOf = (store: MemoryStore) => new Archive(store, TENANT_ID).ledger;

export async function entriesOf(store: MemoryStore): Promise<Entry[]> {
  return (await ledgerOf(store).read()).map(({ entry }) => entry!);
}

/** What no run may leave behind: a broken chain, an object without an entry, an entry without its object. */
export async function expectCompleteLedger(store: MemoryStore) {
  const files = await ledgerOf(store).read();
  const { state } = await new Archive(store, TENANT_ID).state();
  expect(checkChain(TENANT_ID, files, { heads: [state!.ledger!], certificates: [PEM] })).toEqual([]);
  expect(state!.ledger!.sequence).toBe(files.length);

  const { named, unfinished } = contentsOf(files);
  const evidence = [...store.objects].filter(([key]) => /^(snapshots|profiles|reports)\//.test(key));
  for (const [key, bytes] of evidence) {
    expect([key, (named.get(key) ?? []).map(({ hash }) => hash)]).toEqual([
      key,
      expect.arrayContaining([sha256(bytes)]),
    ]);
  }
  const gone = [...named.keys()].filter((key) => !store.objects.has(key) && !unfinished.has(key));
  expect(gone).toEqual([]);
}

/** The archive as it was before there were ledgers. */
export function withoutLedger(store: MemoryStore) {
  for (const key of store.objects.keys()) if (key.startsWith('ledger/')) store.objects.delete(key);
  const key = layout.state(TENANT_ID);
  const { ledger: _, ...state } = JSON.parse(Buffer.from(store.objects.get(key)!).toString());
  store.objects.set(key, Buffer.from(JSON.stringify(state)));
  for (const each of store.objects.keys()) {
    if (!each.startsWith('reports/')) continue;
    const archived = JSON.parse(Buffer.from(store.objects.get(each)!).toString());
    delete archived.report.ledger;
    store.objects.set(each, Buffer.from(JSON.stringify(archived)));
  }
}
