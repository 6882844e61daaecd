import { createHash, createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import * as z from 'zod';
import type { Bundle } from '../certificate/bundle.ts';
import type { ObjectStore } from '../ports.ts';
import { inParallel } from './columns/parallel.ts';
import { layout } from './layout.ts';

/** SHA-256 in hex. */
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const date = z.string().regex(/^\d{4}-\d\d-\d\d$/);
const sequence = z.int().min(1).max(99_999_999);

/** An object of the archive, and the SHA-256 of its bytes as they are stored: what `sha256sum` prints of the file. */
const namedSchema = z.object({ key: z.string(), hash });
export type Named = z.infer<typeof namedSchema>;

/**
 * What one entry of a tenant's ledger says. An entry is created before the objects that it names; the tenant's state
 * says up to which entry all of them are there (`completed`).
 *
 * | kind | names in `added` |
 * |---|---|
 * | began | what was found when the ledger began: it proves nothing about the time before |
 * | run | the snapshots and the catalogue that a run added, with what it asked Graph for and what Graph had |
 * | report | a report |
 * | acknowledged | nothing; `acknowledged` lists losses that somebody knows of |
 */
const entrySchema = z.object({
  version: z.literal(1),
  /** So that no entry can be moved to another tenant that signs in with the same certificate. */
  tenant: z.string(),
  /** 1, 2, 3, …: the number in its key. */
  sequence,
  /** SHA-256 of the bytes of the file of the entry before (`sha256sum`); null for the first. */
  previous: hash.nullable(),
  /** ISO 8601. Of a run: the `fetchedAt` of what it added. */
  at: z.iso.datetime(),
  kind: z.enum(['began', 'run', 'report', 'acknowledged']),
  added: z.array(namedSchema),
  /** The writer knew that everything named by the entries up to this number was there; 0: it knew of none. */
  completed: z.int().min(0),
  /**
   * Keys that an earlier entry names and that never came to be, because its run died. It excuses those of entries
   * after `completed` alone: what has been there once is never excused.
   */
  unfinished: z.array(z.string()).default([]),
  /** Days for which Graph was asked, both included: it had those of them that are `offered` and no others. */
  asked: z.object({ days: z.int(), from: date, to: date }).nullable().default(null),
  /** Days that Graph had, ascending: `2026-01-09`, or `2026-01-02/2026-01-08` for days in a row, both included. */
  offered: z.array(z.string()).default([]),
  /** Entries of the answer that were not archived, and why; `date` where they had one. */
  refused: z.array(z.object({ date: date.nullable(), reason: z.string() })).default([]),
  /** Losses, by key, that somebody knows of. */
  acknowledged: z.array(z.object({ key: z.string(), reason: z.string() })).default([]),
  /** For people. */
  note: z.string().nullable().default(null),
  /** SHA-256 thumbprint, hex, of the certificate that signed in, and signed; null: `unsigned` says why. */
  certificate: hash.nullable(),
  unsigned: z.string().nullable(),
});
export type Entry = z.infer<typeof entrySchema>;

/** What a writer says; number, chain and signature come from `Ledger.append`. */
export type EntryContent = Pick<Entry, 'at' | 'kind' | 'completed'> &
  Partial<Omit<Entry, 'version' | 'tenant' | 'sequence' | 'previous' | 'certificate' | 'unsigned'>>;

const fileSchema = z.object({
  entry: z.string(),
  signature: z.string().nullable(),
  certificate: z.string().nullable(),
});

/** An entry of the ledger: its number, and the SHA-256 of the bytes of its file. */
export const headSchema = z.object({ sequence, hash });
export type Head = z.infer<typeof headSchema>;

/**
 * What the tenant's state remembers of its ledger, so that an ordinary run reads none of it: up to this entry all that
 * is named has been there. Memory, no evidence: without it a run reads the whole ledger once.
 */
export const ledgerStateSchema = headSchema.extend({
  /** Content hashes of the named snapshots of the last days, by date; nothing is derived from others. */
  snapshots: z.record(z.string(), z.array(z.string())),
  /** Content hashes of the last named catalogues, oldest first. */
  catalogues: z.array(z.string()),
  /** Days of the last 90 for which Graph was asked and had none, ascending. */
  lacked: z.array(z.string()),
});
export type LedgerState = z.infer<typeof ledgerStateSchema>;

/** A file of the ledger as it was found; `entry` is null where it cannot be read, and `problem` then says why. */
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

/** Who signs entries; or why nobody does. */
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
 * A tenant's ledger: `ledger/tenant=<guid>/<8 digits>.json`, append-only, each entry naming the hash of the one before.
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

  /** The files after number `after`, ascending. Never fails because of what it finds in them. */
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

  /** The file of one entry; null where there is none. */
  async entry(number: number): Promise<LedgerFile | null> {
    const key = layout.entry(this.#tenantId, number);
    const object = await this.#store.get(key);
    return object ? parseFile(key, number, object.bytes) : null;
  }

  /**
   * Creates the entry after `tip` (null: the first).
   * @returns its file, the new tip; null where another writer has created that number meanwhile: read on from there
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
    // A retry of S3's client may meet its own first request: the same bytes are our entry.
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

/** What is wrong with a chain, at the file or the number that it names. */
export interface ChainFault {
  kind: 'missing' | 'damaged' | 'foreign' | 'unsigned';
  key: string;
  why: string;
}

/**
 * Checks a whole ledger: numbers without a hole from 1, each `previous` the hash of the file before, entries of this
 * tenant and number, and signatures by the certificates that they name. An entry without a signature may name reports
 * and acknowledge losses; once one has been signed, nothing else goes unsigned.
 * @param files all of them, ascending, as `Ledger.read` gives them
 * @param options.heads that must be in it (the state's, a report's, one that a mail printed): the last entry is that or
 *   a later one
 * @param options.certificates PEM, of those that may have signed; without any, each is taken from its own file, and the
 *   signatures prove only that one holder of a key wrote all that names its thumbprint
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
        why: 'the ledger has later entries, and not this one',
      });
    }
    if (!entry) faults.push({ kind: 'damaged', key, why: file.problem ?? 'it cannot be read' });
    else {
      const wrong = (kind: ChainFault['kind'], why: string) => faults.push({ kind, key, why });
      if (entry.tenant !== tenantId)
        wrong('foreign', `it is of another tenant, ${entry.tenant.slice(0, 40)}`);
      if (entry.sequence !== file.sequence) wrong('foreign', `it is entry ${entry.sequence}`);
      const why = checkSignature(file, entry, options.certificates ? known : null);
      if (why !== null) wrong('unsigned', why);
      const isNext = file.sequence === before.sequence + 1;
      if (isNext && entry.previous !== (before.hash || null)) {
        // What is signed has not been changed: then it was the one before.
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
        wrong('unsigned', 'it says more than an entry without a signature may, and earlier ones are signed');
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
        why: `the ledger ends at ${before.sequence}, and entry ${number} has been seen`,
      });
    } else if (file && file.hash !== expected) {
      faults.push({
        kind: 'damaged',
        key,
        why: `its hash is ${file.hash.slice(0, 12)}, and was ${expected.slice(0, 12)}`,
      });
    }
  }
  return faults;
}

function mayBeUnsigned(tenantId: string, { kind, added, unfinished }: Entry): boolean {
  const names = added.every(({ key }) => key.startsWith(layout.reports(tenantId)));
  return (kind === 'report' || kind === 'acknowledged') && names && unfinished.length === 0;
}

/** @returns null where the signature fits, or where the entry says why it has none */
function checkSignature(
  { text, signature, certificatePem }: LedgerFile,
  { certificate, unsigned }: Entry,
  known: Map<string | null, string> | null,
): string | null {
  if (certificate === null) return unsigned ? null : 'it is not signed, and does not say why';
  const pem = known ? known.get(certificate) : certificatePem;
  if (!pem) {
    return known
      ? `it is signed by the certificate ${certificate}, which is none of those that may sign`
      : 'its certificate is missing';
  }
  if (thumbprintOf(pem) !== certificate) return 'its certificate is not the one that it names';
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

/** Everything that a ledger says about objects. */
export interface Contents {
  /** By key: each entry that names it, ascending. Several, where a lost object has been fetched and archived again. */
  named: Map<string, { hash: string; sequence: number }[]>;
  /** Keys that never came to be, rightly so excused (see `Entry.unfinished`); they may be there all the same. */
  unfinished: Set<string>;
  /** By key. */
  acknowledged: Map<string, string>;
}

export function contentsOf(files: LedgerFile[]): Contents {
  const named: Contents['named'] = new Map();
  const unfinished: Contents['unfinished'] = new Set();
  const acknowledged: Contents['acknowledged'] = new Map();
  let completed = 0;
  for (const { sequence: number, entry } of files) {
    if (!entry) continue;
    completed = Math.max(completed, entry.completed);
    for (const { key, hash: of } of entry.added)
      named.set(key, [...(named.get(key) ?? []), { hash: of, sequence: number }]);
    for (const key of entry.unfinished) {
      if ((named.get(key) ?? []).every((each) => each.sequence > completed)) unfinished.add(key);
    }
    for (const { key, reason } of entry.acknowledged) acknowledged.set(key, reason);
  }
  return { named, unfinished, acknowledged };
}

/** Days as `Entry.offered` lists them. @param dates yyyy-mm-dd, in any order */
export function rangesOf(dates: string[]): string[] {
  const ranges: { from: string; to: string }[] = [];
  for (const day of [...new Set(dates)].toSorted()) {
    const last = ranges.at(-1);
    if (last && Date.parse(day) - Date.parse(last.to) === 24 * 3_600_000) last.to = day;
    else ranges.push({ from: day, to: day });
  }
  return ranges.map(({ from, to }) => (from === to ? from : `${from}/${to}`));
}

/** Whether `Entry.offered` lists the day. */
export function isOffered(offered: string[], day: string): boolean {
  return offered.some((range) => {
    const [from = '', to = from] = range.split('/');
    return from <= day && day <= to;
  });
}
