import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import canonicalize from 'canonicalize';
import { MonitorError } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import type { Report } from '../report/model.ts';
import { layout } from './layout.ts';
import { parseState, type State, type Told } from './state.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

export interface ArchivedSnapshot {
  /** ISO 8601. */
  fetchedAt: string;
  /** It was the newest of its answer when it was fetched: its texts are there. */
  newest: boolean;
  /** As Graph sent it. */
  secureScore: unknown;
}

export interface ArchivedProfiles {
  /** ISO 8601: when they were first seen. */
  fetchedAt: string;
  /** As Graph sent them. */
  profiles: unknown[];
}

/** A state, and the version it must still have to be swapped; null where there is none yet. */
export interface Versioned {
  state: State | null;
  version: string | null;
}

/**
 * One tenant's part of the archive. Snapshots, profiles and reports are written once and never change; only the
 * state does, by compare-and-swap. Every method throws MonitorError `archive-damaged` for an object that is not
 * what its key says, naming it.
 */
export class Archive {
  readonly #store: ObjectStore;
  readonly #tenantId: string;

  constructor(store: ObjectStore, tenantId: string) {
    this.#store = store;
    this.#tenantId = tenantId;
  }

  /** Versions of every archived day later than `after` (yyyy-mm-dd; itself not included), by date, ascending. */
  async days(after: string): Promise<Map<string, string[]>> {
    const prefix = layout.snapshots(this.#tenantId);
    // 'z' is greater than any hash that follows a date in a key.
    const keys = await this.#store.list(prefix, `${prefix}date=${after}/z`);
    const days = new Map<string, string[]>();
    for (const key of keys) {
      const parsed = layout.parseSnapshot(key);
      if (parsed) days.set(parsed.date, [...(days.get(parsed.date) ?? []), parsed.hash]);
    }
    return days;
  }

  async snapshot(date: string, hash: string): Promise<ArchivedSnapshot> {
    const key = layout.snapshot(this.#tenantId, date, hash);
    const envelope = await this.#read(key);
    if (typeof envelope.fetchedAt !== 'string' || typeof envelope.secureScore !== 'object') {
      throw damaged(this.#store, key, 'it is not { fetchedAt, newest, secureScore }');
    }
    return {
      fetchedAt: envelope.fetchedAt,
      newest: envelope.newest === true,
      secureScore: envelope.secureScore,
    };
  }

  /** Archives a day unless this very content is there already. @returns whether it was new */
  async addSnapshot(date: string, hash: string, snapshot: ArchivedSnapshot): Promise<boolean> {
    return this.#create(layout.snapshot(this.#tenantId, date, hash), snapshot);
  }

  /** Hashes of all archived profiles. */
  async catalogues(): Promise<string[]> {
    const keys = await this.#store.list(layout.catalogue(this.#tenantId));
    return keys.flatMap((key) => layout.parseProfiles(key) ?? []);
  }

  /** @returns the profiles as Graph sent them. */
  async profiles(hash: string): Promise<unknown[]> {
    return (await this.archivedProfiles(hash)).profiles;
  }

  async archivedProfiles(hash: string): Promise<ArchivedProfiles> {
    const key = layout.profiles(this.#tenantId, hash);
    const { fetchedAt, profiles } = await this.#read(key);
    if (typeof fetchedAt !== 'string' || !Array.isArray(profiles))
      throw damaged(this.#store, key, 'it is not { fetchedAt, profiles }');
    return { fetchedAt, profiles };
  }

  async addProfiles(hash: string, fetchedAt: string, profiles: unknown[]): Promise<boolean> {
    return this.#create(layout.profiles(this.#tenantId, hash), { fetchedAt, profiles });
  }

  /** Archives what was told and to whom. Told again after a crash, it is the same object. */
  async addReport(told: ToldReport): Promise<void> {
    const { report } = told;
    const text = `${JSON.stringify(told, null, 2)}\n`;
    const date = report.to?.date ?? report.toldAt.slice(0, 10);
    const key = layout.report(this.#tenantId, date, report.toldAt, contentHash(report));
    await this.#store.create(key, Buffer.from(text));
  }

  /** What the last report that told a score left the tenant's state at; null where there is none. */
  async lastTold(): Promise<Told | null> {
    const keys = await this.#store.list(layout.reports(this.#tenantId));
    for (const key of keys.toReversed()) {
      const object = await this.#store.get(key);
      if (!object) continue;
      let told: ToldReport;
      try {
        told = JSON.parse(Buffer.from(object.bytes).toString('utf8')) as ToldReport;
      } catch (error) {
        throw damaged(this.#store, key, 'it is not JSON', error);
      }
      if (told.next?.cursor) return told.next;
    }
    return null;
  }

  async state(): Promise<Versioned> {
    const key = layout.state(this.#tenantId);
    const object = await this.#store.get(key);
    if (!object) return { state: null, version: null };
    const text = Buffer.from(object.bytes).toString('utf8');
    return { state: parseState(text, `${this.#store.location}/${key}`), version: object.version };
  }

  /** @returns the swapped state, or undefined where another run came first. */
  async swapState(state: State, expected: string | null): Promise<Versioned | undefined> {
    const bytes = Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
    const version = await this.#store.replace(layout.state(this.#tenantId), bytes, expected);
    return version === undefined ? undefined : { state, version };
  }

  async #create(key: string, content: unknown): Promise<boolean> {
    // gzip of Node writes no time into its header: the same content is the same bytes.
    const bytes = await compress(JSON.stringify(content));
    return (await this.#store.create(key, bytes)) === 'created';
  }

  async #read(key: string): Promise<Record<string, unknown>> {
    const object = await this.#store.get(key);
    if (!object) throw damaged(this.#store, key, 'it is missing');
    let content: unknown;
    try {
      content = JSON.parse((await decompress(object.bytes)).toString('utf8'));
    } catch (error) {
      throw damaged(this.#store, key, 'it is not gzipped JSON', error);
    }
    if (typeof content !== 'object' || content === null)
      throw damaged(this.#store, key, 'it is not an object');
    return content as Record<string, unknown>;
  }
}

/** What was told, and to whom: an object of reports/. */
export interface ToldReport {
  report: Report;
  mails: { kind: string; to: string[]; subject: string; id: string | null }[];
  /** The tenant's state after it: a lost state is taken up again from here. */
  next: Told;
}

/** SHA-256, hex, of the canonical JSON (RFC 8785): the same for the same content, whatever the order of its keys. */
export function contentHash(content: unknown): string {
  return createHash('sha256')
    .update(canonicalize(content) ?? 'null')
    .digest('hex');
}

/** Of a catalogue. The order in which Graph pages its profiles means nothing: two orders are one content. */
export function contentHashOfProfiles(profiles: unknown[]): string {
  const id = (profile: unknown) => String((profile as { id?: unknown } | null)?.id);
  return contentHash(profiles.toSorted((a, b) => (id(a) < id(b) ? -1 : id(a) > id(b) ? 1 : 0)));
}

function damaged(store: ObjectStore, key: string, what: string, cause?: unknown): MonitorError {
  return new MonitorError(
    'archive-damaged',
    `${store.location}/${key} is damaged: ${what}.`,
    'Restore the object from an earlier version or a backup. Nothing was changed or told.',
    { cause },
  );
}
