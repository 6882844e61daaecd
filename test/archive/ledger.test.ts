import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { layout } from '../../lambda/archive/layout.ts';
import {
  checkChain,
  contentsOf,
  isOffered,
  Ledger,
  rangesOf,
  sha256,
  signerOf,
  type EntryContent,
  type Head,
} from '../../lambda/archive/ledger.ts';
import { readBundle } from '../../lambda/certificate/bundle.ts';
import { createCertificate } from '../../simulator/certificates.ts';
import { MemoryStore, PEM, TENANT_ID } from '../run/fakes.ts';

const NOW = new Date('2026-03-01T07:00:00Z');
const bundle = readBundle(PEM, NOW, 'test');
const other = await createCertificate({ commonName: 'other', days: 365 });
const report = `${layout.reports(TENANT_ID)}date=2026-03-01/one.json`;
const snapshot = layout.snapshot(TENANT_ID, '2026-03-01', 'a'.repeat(64));

const run = (content: Partial<EntryContent> = {}): EntryContent => ({
  at: NOW.toISOString(),
  kind: 'run',
  completed: 0,
  ...content,
});

/** A ledger of entries with this content, signed. */
async function ledgerOf(...contents: EntryContent[]) {
  const store = new MemoryStore();
  const ledger = new Ledger(store, TENANT_ID);
  ledger.signer = signerOf(bundle);
  let tip: Head | null = null;
  for (const content of contents) {
    tip = await ledger.append(content, tip);
    expect(tip).not.toBeNull();
  }
  return { store, ledger, tip };
}

async function faultsOf({ ledger }: { ledger: Ledger }, options: Parameters<typeof checkChain>[2] = {}) {
  return checkChain(TENANT_ID, await ledger.read(), options).map(
    ({ kind, key }) => `${kind} ${key.slice(-13)}`,
  );
}

describe('a ledger', () => {
  it('chains entries by the hash of the file before, and signs the exact text', async () => {
    const { store, ledger, tip } = await ledgerOf(run({ kind: 'began' }), run(), run());
    expect([...store.objects.keys()]).toEqual([1, 2, 3].map((each) => layout.entry(TENANT_ID, each)));
    const files = await ledger.read();
    expect(files.map(({ entry }) => entry?.previous)).toEqual([null, files[0]!.hash, files[1]!.hash]);
    expect(tip).toMatchObject({ sequence: 3, hash: sha256(store.objects.get(files[2]!.key)!) });
    expect(files[2]!.entry).toMatchObject({
      tenant: TENANT_ID,
      certificate: bundle.thumbprintSha256,
      unsigned: null,
    });
    expect(
      new X509Certificate(files[2]!.certificatePem!).fingerprint256.replaceAll(':', '').toLowerCase(),
    ).toBe(bundle.thumbprintSha256);
    expect(await faultsOf({ ledger }, { heads: [tip!], certificates: [PEM] })).toEqual([]);
    expect((await ledger.read(2)).map(({ sequence }) => sequence)).toEqual([3]);
  });

  it('never forks: of two writers of one number, one must read again', async () => {
    const { store, ledger, tip } = await ledgerOf(run());
    const second = new Ledger(store, TENANT_ID);
    const won = await ledger.append(run(), tip);
    expect(await second.append(run(), tip)).toBeNull();
    expect(await second.append(run({ kind: 'report' }), won)).toMatchObject({ sequence: 3 });
    expect(await faultsOf({ ledger })).toEqual([]);
  });

  it('accepts an identical entry as its own, because an answer may have been lost', async () => {
    const { ledger, tip } = await ledgerOf(run());
    expect(await ledger.append(run(), tip)).toEqual(await ledger.append(run(), tip));
  });

  it('never contains a private key', async () => {
    const { store } = await ledgerOf(run());
    expect(Buffer.from(store.objects.get(layout.entry(TENANT_ID, 1))!).toString()).not.toContain('PRIVATE');
  });
});

describe('checking the chain', () => {
  const change = (store: MemoryStore, number: number, to: (text: string) => string) => {
    const key = layout.entry(TENANT_ID, number);
    store.objects.set(key, Buffer.from(to(Buffer.from(store.objects.get(key)!).toString())));
  };

  it('finds an entry that is missing, in the middle or at the end', async () => {
    const of = await ledgerOf(run(), run(), run());
    of.store.objects.delete(layout.entry(TENANT_ID, 2));
    expect(await faultsOf(of)).toEqual(['missing 00000002.json']);
    of.store.objects.delete(layout.entry(TENANT_ID, 3));
    expect(await faultsOf(of)).toEqual([]);
    expect(await faultsOf(of, { heads: [of.tip!] })).toEqual(['missing 00000003.json']);
    of.store.objects.clear();
    expect(await faultsOf(of, { heads: [of.tip!] })).toEqual(['missing 00000003.json']);
  });

  it('finds an entry that was changed, by its signature and by the one after it', async () => {
    const of = await ledgerOf(run(), run(), run());
    change(of.store, 2, (text) => text.replace('2026-03-01', '2026-03-02'));
    expect(await faultsOf(of)).toEqual(['unsigned 00000002.json', 'damaged 00000002.json']);
    change(of.store, 2, (text) => text.slice(0, 40));
    expect(await faultsOf(of)).toEqual(['damaged 00000002.json']);
  });

  it('finds the last one changed, by a head that somebody has seen', async () => {
    const of = await ledgerOf(run(), run());
    change(of.store, 2, (text) => `${text} `);
    expect(await faultsOf(of)).toEqual([]);
    expect(await faultsOf(of, { heads: [of.tip!] })).toEqual(['damaged 00000002.json']);
  });

  it('finds entries of another tenant, number or certificate', async () => {
    const of = await ledgerOf(run(), run());
    expect(checkChain('another', await of.ledger.read()).map(({ kind }) => kind)).toEqual([
      'foreign',
      'foreign',
    ]);
    expect(await faultsOf(of, { certificates: [other.certificate] })).toEqual([
      'unsigned 00000001.json',
      'unsigned 00000002.json',
    ]);
    of.store.objects.set(layout.entry(TENANT_ID, 3), of.store.objects.get(layout.entry(TENANT_ID, 2))!);
    expect(await faultsOf(of)).toEqual(['foreign 00000003.json', 'damaged 00000003.json']);
  });

  it('finds an entry signed by somebody who only claims to have the certificate', async () => {
    const of = await ledgerOf(run());
    const forged = signerOf(readBundle(`${other.certificate}\n${other.privateKey}`, new Date(), 'test'));
    of.ledger.signer = { ...forged, thumbprint: bundle.thumbprintSha256 };
    await of.ledger.append(run(), of.tip);
    expect(await faultsOf(of)).toEqual(['unsigned 00000002.json']);
    expect(await faultsOf(of, { certificates: [PEM] })).toEqual(['unsigned 00000002.json']);
  });

  it('lets unsigned entries list only reports, once one is signed', async () => {
    const of = await ledgerOf(run());
    const added = [{ key: report, hash: 'a'.repeat(64) }];
    of.ledger.signer = { unsigned: 'no certificate' };
    const second = await of.ledger.append(run({ kind: 'report', added }), of.tip);
    expect(await faultsOf(of)).toEqual([]);
    const third = await of.ledger.append(run({ added }), second);
    await of.ledger.append(run({ kind: 'report', added: [{ ...added[0]!, key: snapshot }] }), third);
    expect(await faultsOf(of)).toEqual(['unsigned 00000003.json', 'unsigned 00000004.json']);
  });

  it('accepts a ledger that was never signed, as federated sign-in leaves it', async () => {
    const store = new MemoryStore();
    const ledger = new Ledger(store, TENANT_ID);
    ledger.signer = { unsigned: 'federated sign-in has no certificate' };
    await ledger.append(run({ added: [{ key: snapshot, hash: 'a'.repeat(64) }] }), null);
    expect(await faultsOf({ ledger })).toEqual([]);
  });
});

describe('the objects in a ledger', () => {
  const named = { key: snapshot, hash: 'a'.repeat(64) };

  it('excuses objects that were never created, and none that existed', async () => {
    const crashed = await ledgerOf(run({ added: [named] }), run({ completed: 0, unfinished: [snapshot] }));
    expect(contentsOf(await crashed.ledger.read()).unfinished).toEqual(new Set([snapshot]));
    const deleted = await ledgerOf(run({ added: [named] }), run({ completed: 1, unfinished: [snapshot] }));
    expect(contentsOf(await deleted.ledger.read()).unfinished).toEqual(new Set());
    // Deleted, fetched again, and that run died.
    const again = await ledgerOf(
      run({ added: [named] }),
      run({ completed: 1, added: [named] }),
      run({ completed: 1, unfinished: [snapshot] }),
    );
    expect(contentsOf(await again.ledger.read()).unfinished).toEqual(new Set());
  });

  it('lists every entry that contains an object, and acknowledged losses', async () => {
    const of = await ledgerOf(
      run({ added: [named] }),
      run({ added: [{ ...named, hash: 'b'.repeat(64) }] }),
      run({ kind: 'acknowledged', acknowledged: [{ key: snapshot, reason: 'disk failure' }] }),
    );
    const contents = contentsOf(await of.ledger.read());
    expect(contents.named.get(snapshot)).toEqual([
      { hash: 'a'.repeat(64), sequence: 1, at: expect.any(String), kind: 'run' },
      { hash: 'b'.repeat(64), sequence: 2, at: expect.any(String), kind: 'run' },
    ]);
    expect(contents.acknowledged.get(snapshot)).toBe('disk failure');
  });

  it('lists days in ranges', () => {
    const offered = rangesOf(['2026-03-02', '2026-02-28', '2026-03-01', '2026-03-05', '2026-03-01']);
    expect(offered).toEqual(['2026-02-28/2026-03-02', '2026-03-05']);
    expect(
      ['2026-02-27', '2026-02-28', '2026-03-02', '2026-03-03', '2026-03-05'].map((day) =>
        isOffered(offered, day),
      ),
    ).toEqual([false, true, true, false, true]);
  });
});
