import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { MonitorError } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import type { Report } from '../report/model.ts';
import { isFromTheFuture } from '../score/plausibility.ts';
import type { Snapshot } from '../score/snapshot.ts';
import { contentHash } from './content-hash.ts';
import { layout } from './layout.ts';
import {
  provenProfiles,
  provenSnapshot,
  Unproven,
  type ArchivedProfiles,
  type ArchivedSnapshot,
} from './proof.ts';
import { parseState, type State, type Told } from './state.ts';

export { contentHash, contentHashOfProfiles } from './content-hash.ts';
export type { ArchivedProfiles, ArchivedSnapshot } from './proof.ts';

const compress = promisify(gzip);

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

  /**
   * Versions of every archived day later than `after` (yyyy-mm-dd; itself not included), by date, ascending.
   * @param now where given, days from its future are not there: an earlier version archived such
   */
  async days(after: string, now?: Date): Promise<Map<string, string[]>> {
    const prefix = layout.snapshots(this.#tenantId);
    // 'z' is greater than any hash that follows a date in a key.
    const keys = await this.#store.list(prefix, `${prefix}date=${after}/z`);
    const days = new Map<string, string[]>();
    for (const key of keys) {
      const parsed = layout.parseSnapshot(key);
      if (!parsed || (now && isFromTheFuture(parsed.date, now.toISOString()))) continue;
      days.set(parsed.date, [...(days.get(parsed.date) ?? []), parsed.hash]);
    }
    return days;
  }

  /** Proven: of that content, that day and this tenant. */
  async snapshot(date: string, hash: string): Promise<ArchivedSnapshot & { snapshot: Snapshot }> {
    const expected = { tenantId: this.#tenantId, date, hash };
    return this.#read(layout.snapshot(this.#tenantId, date, hash), (bytes) =>
      provenSnapshot(bytes, expected),
    );
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

  /** Proven: of that content. */
  async archivedProfiles(hash: string): Promise<ArchivedProfiles> {
    return this.#read(layout.profiles(this.#tenantId, hash), (bytes) => provenProfiles(bytes, hash));
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
    for (const key of keys.toSorted((a, b) => (orderOfReport(a) < orderOfReport(b) ? 1 : -1))) {
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

  async #read<T>(key: string, prove: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    const object = await this.#store.get(key);
    if (!object) throw damaged(this.#store, key, 'it is missing');
    try {
      return await prove(object.bytes);
    } catch (error) {
      if (!(error instanceof Unproven)) throw error;
      throw damaged(this.#store, key, error.message, error);
    }
  }
}

/** What was told, and to whom: an object of reports/. */
export interface ToldReport {
  report: Report;
  mails: { kind: string; to: string[]; subject: string; id: string | null }[];
  /** The tenant's state after it: a lost state is taken up again from here. */
  next: Told;
}

/** By its day, then by when it was made; one of a day from the future has the place of the day on which it was made. */
function orderOfReport(key: string): string {
  const [, date = '', year, month, day] = /\/date=([\d-]+)\/(\d{4})(\d\d)(\d\d)T/.exec(key) ?? [];
  if (year === undefined) return key;
  const made = `${year}-${month}-${day}`;
  return `${isFromTheFuture(date, made) ? made : date}${key.slice(key.lastIndexOf('/'))}`;
}

function damaged(store: ObjectStore, key: string, what: string, cause?: unknown): MonitorError {
  const implausible = cause instanceof Unproven && cause.kind === 'implausible';
  return new MonitorError(
    'archive-damaged',
    `${store.location}/${key} is ${implausible ? 'implausible' : 'damaged'}: ${what}.`,
    implausible
      ? 'Nothing: an earlier version archived what cannot be true. It counts as not there.'
      : 'Restore the object from an earlier version or a backup. Nothing was changed or told.',
    { cause },
  );
}
