import { createHash, createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import * as z from '../zod.ts';
import { quote } from '../errors.ts';
import type { Bundle } from '../certificate/bundle.ts';
import type { ObjectStore } from '../ports.ts';
import { inParallel } from './columns/parallel.ts';
import { layout } from './layout.ts';

/** SHA-256 in hex. */
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const date = z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/));
const sequence = z.int().check(z.minimum(1), z.maximum(99_999_999));

/** An object of the archive, and the SHA-256 of its stored bytes, as `sha256sum` prints it for the file. */
const namedSchema = z.object({ key: z.string(), hash });
export type Named = z.infer<typeof namedSchema>;

/**
 * One entry of a tenant's ledger. An entry is created before the objects that it lists; the tenant's state records up
 * to which entry all of them exist (`completed`).
 *
 * | kind | lists in `added` |
 * |---|---|
 * | began | what existed when the ledger began, which proves nothing about the time before |
 * | run | the snapshots and the catalogue that a run added, and the snapshots that came back, with the days it asked Graph for and those Graph had; a catalogue that Graph gives again after another one is listed again, since it is in force from then on |
 * | report | a report |
 * | acknowledged | nothing; `acknowledged` lists the losses that somebody knows of |
 */
const entrySchema = z.object({
  version: z.literal(1),
  /** The tenant is part of the signed text, so that no entry can be moved to another one with the same certificate. */
  tenant: z.string(),
  /** 1, 2, 3, …, as in the entry's key. */
  sequence,
  /** SHA-256 of the previous entry's file (`sha256sum`); null for the first. */
  previous: z.nullable(hash),
  /** ISO 8601. For a run, the `fetchedAt` of what it added. */
  at: z.iso.datetime(),
  kind: z.enum(['began', 'run', 'report', 'acknowledged']),
  added: z.array(namedSchema),
  /**
   * Keys of archived snapshots that Graph gave again after another version of their day: from `at` on they are in force
   * again, because their `fetchedAt` does not show that. Entries of earlier versions have none.
   */
  returned: z.withDefault(z.array(z.string()), []),
  /** The writer knew that everything listed by the entries up to this number exists; 0: it knew of none. */
  completed: z.int().check(z.minimum(0)),
  /**
   * Keys that an earlier entry lists and that were never created, because its run died. This excuses only keys of
   * entries after `completed`: an object that once existed is never excused.
   */
  unfinished: z.withDefault(z.array(z.string()), []),
  /** The days for which Graph was asked, both included. Of these it had exactly those that are `offered`. */
  asked: z.withDefault(z.nullable(z.object({ days: z.int(), from: date, to: date })), null),
  /** The days that Graph had, ascending: `2026-01-09`, or `2026-01-02/2026-01-08` for days in a row, both included. */
  offered: z.withDefault(z.array(z.string()), []),
  /** Entries of the answer that were not archived, with the reason; `date` is null if they had none. */
  refused: z.withDefault(z.array(z.object({ date: z.nullable(date), reason: z.string() })), []),
  /** Losses that somebody knows of, by key. */
  acknowledged: z.withDefault(z.array(z.object({ key: z.string(), reason: z.string() })), []),
  /** For people. */
  note: z.withDefault(z.nullable(z.string()), null),
  /** SHA-256 thumbprint, in hex, of the certificate that signed in and signed the entry; if null, `unsigned` says why. */
  certificate: z.nullable(hash),
  unsigned: z.nullable(z.string()),
});
export type Entry = z.infer<typeof entrySchema>;

/** The part of an entry that its writer provides. `Ledger.append` adds number, chain and signature. */
export type EntryContent = Pick<Entry, 'at' | 'kind' | 'completed'> &
  Partial<Omit<Entry, 'version' | 'tenant' | 'sequence' | 'previous' | 'certificate' | 'unsigned'>>;

const fileSchema = z.object({
  entry: z.string(),
  signature: z.nullable(z.string()),
  certificate: z.nullable(z.string()),
});

/** An entry of the ledger: its number, and the SHA-256 of the bytes of its file. */
export const headSchema = z.object({ sequence, hash });
export type Head = z.infer<typeof headSchema>;

/**
 * What the tenant's state remembers of its ledger, so that an ordinary run need not read it: everything listed up to
 * this entry has existed. It is a cache, not evidence: without it a run reads the complete ledger once.
 */
export const ledgerStateSchema = z.extend(headSchema, {
  /** Content hashes of the listed snapshots of the last days, by date. Nothing is derived from any other snapshot. */
  snapshots: z.record(z.string(), z.array(z.string())),
  /** The times at which such a snapshot came into force again, ascending, by its content hash. Older states have none. */
  returned: z.withDefault(z.record(z.string(), z.array(z.string())), {}),
  /** Content hashes of the last listed catalogues, oldest first. */
  catalogues: z.array(z.string()),
  /** Keys of snapshots of the last days that a run found and no entry lists, at most 20: the watch reports them. Older states have none. */
  foreign: z.withDefault(z.array(z.string()).check(z.maxLength(20)), []),
  /** Days of the last 90 that Graph was asked for and did not have, ascending. */
  lacked: z.array(z.string()),
});
export type LedgerState = z.infer<typeof ledgerStateSchema>;

/** A file of the ledger as it was found. If it cannot be read, `entry` is null and `problem` says why. */
export interface LedgerFile extends Head {
  key: string;
  entry: Entry | null;
  problem: string | null;
  /** The exact text that is signed. */
  text: string;
  /** Base64 of RSASSA-PKCS1-v1_5 with SHA-256 (RS256) over the text's UTF-8; null: unsigned. */
  signature: string | null;
  /** PEM of the certificate that signed. It proves nothing by itself: compare its thumbprint with one known otherwise. */
  certificatePem: string | null;
}

/** What signs entries, or the reason why nothing does. */
export type Signer =
  { thumbprint: string; certificatePem: string; sign: (text: string) => string } | { unsigned: string };

/** Signs with the certificate that signs in. */
export function signerOf({ thumbprintSha256, certificatePem, privateKeyPem }: Bundle): Signer {
  const key = createPrivateKey(privateKeyPem);
  return {
    thumbprint: thumbprintSha256,
    certificatePem,
    sign: (text) => sign('sha256', Buffer.from(text), key).toString('base64'),
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * A tenant's ledger: `ledger/tenant=<guid>/<8 digits>.json`, append-only, each entry with the hash of the one before.
 *
 * A file is `{ "entry": "<JSON text>", "signature": "<base64>" | null, "certificate": "<PEM>" | null }`: the text in
 * `entry` is what is signed, to the byte, and the file's own SHA-256 is what the next entry calls `previous`. With public tools:
 *
 *     jq -j .entry 00000012.json > text; jq -r .signature 00000012.json | base64 -d > signature
 *     jq -r .certificate 00000012.json | openssl x509 -pubkey -noout > key.pem
 *     openssl dgst -sha256 -verify key.pem -signature signature text
 *     sha256sum 00000012.json                      # `previous` of 00000013.json
 *     jq -r '.entry | fromjson | .added[] | "\(.hash)  \(.key)"' ledger/tenant=…/*.json | sha256sum -c
 */
export class Ledger {
  readonly #store: ObjectStore;
  readonly #tenantId: string;
  signer: Signer = { unsigned: 'no certificate had been read when it was written' };

  constructor(store: ObjectStore, tenantId: string) {
    this.#store = store;
    this.#tenantId = tenantId;
  }

  /** The files after number `after`, ascending. It never fails because of what it finds in them. */
  async read(after = 0): Promise<LedgerFile[]> {
    const prefix = layout.ledger(this.#tenantId);
    const keys = await this.#store.list(prefix, after === 0 ? '' : layout.entry(this.#tenantId, after));
    const files = await inParallel(keys, async (key) => {
      const number = layout.parseEntry(key);
      const object = number === null ? undefined : await this.#store.get(key);
      return number !== null && object ? parseFile(key, number, object.bytes) : null;
    });
    return files.filter((file) => file !== null);
  }

  /** The file of one entry; null if there is none. */
  async entry(number: number): Promise<LedgerFile | null> {
    const key = layout.entry(this.#tenantId, number);
    const object = await this.#store.get(key);
    return object ? parseFile(key, number, object.bytes) : null;
  }

  /**
   * Creates the entry after `tip` (null: the first one).
   * @returns its file, the new tip; null if another writer has created that number meanwhile: read on from there
   */
  async append(content: EntryContent, tip: Head | null): Promise<LedgerFile | null> {
    const number = (tip?.sequence ?? 0) + 1;
    const signed = 'unsigned' in this.signer ? null : this.signer;
    const entry = entrySchema.parse({
      version: 1,
      tenant: this.#tenantId,
      sequence: number,
      previous: tip?.hash ?? null,
      added: [],
      ...content,
      certificate: signed?.thumbprint ?? null,
      unsigned: 'unsigned' in this.signer ? this.signer.unsigned : null,
    } satisfies z.input<typeof entrySchema>);
    const text = JSON.stringify(entry);
    const file: z.infer<typeof fileSchema> = {
      entry: text,
      signature: signed?.sign(text) ?? null,
      certificate: signed?.certificatePem ?? null,
    };
    const bytes = Buffer.from(`${JSON.stringify(file, null, 2)}\n`);
    const key = layout.entry(this.#tenantId, number);
    // A retry of the S3 client may find its own first request. An entry with the same bytes is therefore ours.
    const created =
      (await this.#store.create(key, bytes)) === 'created' ||
      sha256((await this.#store.get(key))?.bytes ?? new Uint8Array()) === sha256(bytes);
    return created ? parseFile(key, number, bytes) : null;
  }
}

function parseFile(key: string, number: number, bytes: Uint8Array): LedgerFile {
  const found = { key, sequence: number, hash: sha256(bytes) };
  const unreadable = { ...found, entry: null, text: '', signature: null, certificatePem: null };
  try {
    const file = fileSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    const { entry: text, signature, certificate: certificatePem } = file;
    const entry = entrySchema.parse(JSON.parse(text));
    return { ...found, entry, problem: null, text, signature, certificatePem };
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    return { ...unreadable, problem: `it is not an entry of a ledger: ${problem}` };
  }
}

/** A fault of the chain, at a file or a number. */
export interface ChainFault {
  kind: 'missing' | 'damaged' | 'foreign' | 'unsigned';
  key: string;
  why: string;
}

/**
 * Checks a complete ledger: the numbers from 1 have no gap, each `previous` is the hash of the file before, each entry is
 * of this tenant and number, and each signature fits the certificate that the entry names. Unsigned entries may list
 * reports and acknowledge losses; once one entry has been signed, no other kind may be unsigned.
 * @param files all of them, ascending, as `Ledger.read` returns them
 * @param options.heads heads that must be in it (the state's, a report's, one printed in a mail): the last entry is
 *   that one or a later one
 * @param options.certificates PEM, those that may have signed. Without any, each certificate is taken from the file
 *   itself, and the signatures prove only that one holder of a key wrote everything under its thumbprint
 */
export function checkChain(
  tenantId: string,
  files: LedgerFile[],
  options: { heads?: Head[]; certificates?: string[] } = {},
): ChainFault[] {
  const faults: ChainFault[] = [];
  const known = new Map(
    (options.certificates ?? [])
      .map((pem) => [thumbprintOf(pem), pem] as const)
      .filter(([id]) => id !== null),
  );
  let before: Head = { sequence: 0, hash: '' };
  let hasSigned = false;
  for (const file of files) {
    const { key, entry } = file;
    for (let gone = before.sequence + 1; gone < file.sequence; gone += 1) {
      faults.push({
        kind: 'missing',
        key: layout.entry(tenantId, gone),
        why: 'the ledger has later entries, but not this one',
      });
    }
    if (!entry) faults.push({ kind: 'damaged', key, why: file.problem ?? 'it cannot be read' });
    else {
      const wrong = (kind: ChainFault['kind'], why: string) => faults.push({ kind, key, why });
      if (entry.tenant !== tenantId)
        wrong('foreign', `it belongs to another tenant, ${entry.tenant.slice(0, 40)}`);
      if (entry.sequence !== file.sequence) wrong('foreign', `it is entry ${entry.sequence}`);
      const why = checkSignature(file, entry, options.certificates ? known : null);
      if (why !== null) wrong('unsigned', why);
      const isNext = file.sequence === before.sequence + 1;
      if (isNext && entry.previous !== (before.hash || null)) {
        // A signed entry cannot have been changed, so the one before it was.
        const isOurs = entry.tenant === tenantId && entry.sequence === file.sequence;
        const isSound = isOurs && entry.certificate !== null && why === null && before.sequence > 0;
        const fault = layout.entry(tenantId, before.sequence);
        if (!isSound)
          wrong('damaged', 'it does not follow the entry before it: one of the two has been changed');
        else if (faults.every((each) => each.key !== fault || each.kind !== 'damaged')) {
          const words = `it is not the entry that ${file.sequence}, which is signed, followed`;
          faults.push({ kind: 'damaged', key: fault, why: words });
        }
      }
      if (hasSigned && entry.certificate === null && !mayBeUnsigned(tenantId, entry)) {
        const reason = entry.unsigned ? ` (it says: ${quote(entry.unsigned, 200)})` : '';
        wrong('unsigned', `it is not signed${reason}, and earlier entries are`);
      }
      hasSigned ||= entry.certificate !== null;
    }
    before = file;
  }
  for (const { sequence: number, hash: expected } of options.heads ?? []) {
    const file = files.find((each) => each.sequence === number);
    const key = layout.entry(tenantId, number);
    if (!file && number > before.sequence) {
      faults.push({
        kind: 'missing',
        key,
        why: `the ledger ends at ${before.sequence}, but entry ${number} has been seen`,
      });
    } else if (file && file.hash !== expected) {
      faults.push({
        kind: 'damaged',
        key,
        why: `its hash is ${file.hash.slice(0, 12)}, but was ${expected.slice(0, 12)}`,
      });
    }
  }
  return faults;
}

function mayBeUnsigned(tenantId: string, { kind, added, unfinished }: Entry): boolean {
  const names = added.every(({ key }) => key.startsWith(layout.reports(tenantId)));
  return (kind === 'report' || kind === 'acknowledged') && names && unfinished.length === 0;
}

/** @returns null if the signature fits, or if the entry says why it has none */
function checkSignature(
  { text, signature, certificatePem }: LedgerFile,
  { certificate, unsigned }: Entry,
  known: Map<string | null, string> | null,
): string | null {
  if (certificate === null) return unsigned ? null : 'it is not signed, and gives no reason';
  const pem = known ? known.get(certificate) : certificatePem;
  if (!pem) {
    return known
      ? `it is signed by the certificate ${certificate}, which may not sign`
      : 'its certificate is missing';
  }
  if (thumbprintOf(pem) !== certificate) return 'its certificate does not have the thumbprint that it gives';
  const fits =
    signature !== null &&
    verify('sha256', Buffer.from(text), new X509Certificate(pem).publicKey, Buffer.from(signature, 'base64'));
  return fits ? null : 'its signature does not fit';
}

function thumbprintOf(pem: string): string | null {
  try {
    return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch {
    return null;
  }
}

/** The times, ISO 8601, at which snapshots came into force again, by content hash (`Entry.returned`). */
export type Returned = ReadonlyMap<string, string[]>;

/** Adds the snapshots that came back by an entry. An entry that is read again adds nothing. */
export function noteReturned(into: Map<string, string[]>, { at, returned }: Entry): void {
  for (const key of returned) {
    const snapshot = layout.parseSnapshot(key);
    if (snapshot) into.set(snapshot.hash, [...new Set([...(into.get(snapshot.hash) ?? []), at])]);
  }
}

/** Everything that a ledger records about objects. */
export interface Contents {
  /**
   * The entries that list an object, ascending, by its key: several if it was lost, fetched and archived again, or if it
   * is a catalogue that came into force again.
   */
  named: Map<string, { hash: string; sequence: number; at: string; kind: Entry['kind'] }[]>;
  /** When snapshots came into force again. */
  returned: Returned;
  /** Keys that are excused for never having been created (see `Entry.unfinished`); the objects may exist all the same. */
  unfinished: Set<string>;
  /** The reasons given for acknowledged losses, by key. */
  acknowledged: Map<string, string>;
}

export function contentsOf(files: LedgerFile[]): Contents {
  const named: Contents['named'] = new Map();
  const returned = new Map<string, string[]>();
  const unfinished: Contents['unfinished'] = new Set();
  const acknowledged: Contents['acknowledged'] = new Map();
  let completed = 0;
  for (const { sequence: number, entry } of files) {
    if (!entry) continue;
    completed = Math.max(completed, entry.completed);
    noteReturned(returned, entry);
    for (const { key, hash: of } of entry.added)
      named.set(key, [
        ...(named.get(key) ?? []),
        { hash: of, sequence: number, at: entry.at, kind: entry.kind },
      ]);
    for (const key of entry.unfinished) {
      if ((named.get(key) ?? []).every((each) => each.sequence > completed)) unfinished.add(key);
    }
    for (const { key, reason } of entry.acknowledged) acknowledged.set(key, reason);
  }
  return { named, returned, unfinished, acknowledged };
}

/** Days in the notation of `Entry.offered`. @param dates yyyy-mm-dd, in any order */
export function rangesOf(dates: string[]): string[] {
  const ranges: { from: string; to: string }[] = [];
  for (const day of [...new Set(dates)].toSorted()) {
    const last = ranges.at(-1);
    if (last && Date.parse(day) - Date.parse(last.to) === 24 * 3_600_000) last.to = day;
    else ranges.push({ from: day, to: day });
  }
  return ranges.map(({ from, to }) => (from === to ? from : `${from}/${to}`));
}

/** True if `Entry.offered` contains the day. */
export function isOffered(offered: string[], day: string): boolean {
  return offered.some((range) => {
    const [from = '', to = from] = range.split('/');
    return from <= day && day <= to;
  });
}
