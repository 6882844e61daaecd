import { MonitorError } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import type { Report } from '../report/model.ts';
import { isFromTheFuture } from '../score/plausibility.ts';
import type { Snapshot } from '../score/snapshot.ts';
import { inParallel } from './columns/parallel.ts';
import type { Canonical } from './content-hash.ts';
import { packed } from './envelope.ts';
import { layout } from './layout.ts';
import { contentsOf, Ledger, sha256, type Head, type Named, type Returned } from './ledger.ts';
import {
  provenProfiles,
  provenSnapshot,
  Unproven,
  type ArchivedProfiles,
  type ArchivedSnapshot,
} from './proof.ts';
import { keyOfReport, parseState, type Delivery, type State, type LastReported } from './state.ts';

export { canonical, canonicalProfiles, contentHash, type Canonical } from './content-hash.ts';
export type { ArchivedProfiles, ArchivedSnapshot } from './proof.ts';

/** A state and the version that it must still have to be replaced; null if there is none yet. */
export interface Versioned<Of = State> {
  state: Of | null;
  version: string | null;
}

/** An object that will be added. An entry of the ledger lists it beforehand. */
export interface NewObject extends Named {
  bytes: Uint8Array;
}

/**
 * One tenant's part of the archive. Snapshots, profiles and reports are written once and never change; only the
 * state changes, by compare-and-swap. Every method throws MonitorError `archive-damaged`, with the key, for an object
 * that is not what its key says.
 */
export class Archive {
  readonly ledger: Ledger;
  readonly #store: ObjectStore;
  readonly #tenantId: string;

  constructor(store: ObjectStore, tenantId: string) {
    this.ledger = new Ledger(store, tenantId);
    this.#store = store;
    this.#tenantId = tenantId;
  }

  /**
   * Versions of every archived day later than `after` (yyyy-mm-dd; itself not included), by date, ascending.
   * @param now if given, days after it are ignored: an earlier version archived days from the future
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

  /** A snapshot whose content, day and tenant are proven. */
  async snapshot(date: string, hash: string): Promise<ArchivedSnapshot & { snapshot: Snapshot }> {
    const expected = { tenantId: this.#tenantId, date, hash };
    return this.#read(layout.snapshot(this.#tenantId, date, hash), (bytes) =>
      provenSnapshot(bytes, expected),
    );
  }

  /** @param secureScore as Graph sent it */
  newSnapshot(
    date: string,
    secureScore: Canonical,
    { fetchedAt, newest }: Omit<ArchivedSnapshot, 'secureScore'>,
  ): NewObject {
    const bytes = packed({ fetchedAt, newest }, 'secureScore', secureScore);
    return { key: layout.snapshot(this.#tenantId, date, secureScore.hash), bytes, hash: sha256(bytes) };
  }

  /** Hashes of all archived profiles. */
  async catalogues(): Promise<string[]> {
    const keys = await this.#store.list(layout.catalogue(this.#tenantId));
    return keys.flatMap((key) => layout.parseProfiles(key) ?? []);
  }

  /** @returns the profiles as Graph sent them. */
  async profiles(hash: string): Promise<unknown[]> {
    return this.#read(layout.profiles(this.#tenantId, hash), (bytes) =>
      provenProfiles(bytes, hash).profiles(),
    );
  }

  /** What stands beside the profiles of a catalogue whose content is proven. */
  async factsOfProfiles(hash: string): Promise<Omit<ArchivedProfiles, 'profiles'>> {
    return this.#read(layout.profiles(this.#tenantId, hash), (bytes) => {
      const { profiles: _, ...facts } = provenProfiles(bytes, hash);
      return facts;
    });
  }

  /** @param profiles of `canonicalProfiles` */
  newProfiles(profiles: Canonical, { fetchedAt, knownUntil }: Omit<ArchivedProfiles, 'profiles'>): NewObject {
    const bytes = packed({ fetchedAt, knownUntil }, 'profiles', profiles);
    return { key: layout.profiles(this.#tenantId, profiles.hash), bytes, hash: sha256(bytes) };
  }

  /** The object of a report and its deliveries. A repetition after a crash makes the same object. */
  newReport(archived: ArchivedReport): NewObject {
    const bytes = Buffer.from(`${JSON.stringify(archived, null, 2)}\n`);
    return { key: keyOfReport(archived.report), bytes, hash: sha256(bytes) };
  }

  /** @param key of `newReport` */
  async report(key: string): Promise<ArchivedReport> {
    const object = await this.#store.get(key);
    if (!object) throw damaged(this.#store, key, 'it is missing');
    try {
      return JSON.parse(Buffer.from(object.bytes).toString('utf8')) as ArchivedReport;
    } catch (error) {
      throw damaged(this.#store, key, 'it is not JSON', error);
    }
  }

  /** The reports about the days since `date` (yyyy-mm-dd, included), by the time at which they were made. */
  async reportsSince(date: string): Promise<Report[]> {
    const prefix = layout.reports(this.#tenantId);
    const keys = await this.#store.list(prefix, `${prefix}date=${date}`);
    const reports: Report[] = [];
    for (const key of keys) reports.push((await this.report(key)).report);
    return reports;
  }

  /** Adds an object that the ledger lists, unless its key is taken. @returns true if it was new */
  async add({ key, bytes }: NewObject): Promise<boolean> {
    return (await this.#store.create(key, bytes)) === 'created';
  }

  /** The object as it is stored; null if there is none. */
  async stored(key: string): Promise<NewObject | null> {
    const object = await this.#store.get(key);
    return object ? { key, bytes: object.bytes, hash: sha256(object.bytes) } : null;
  }

  async has(key: string): Promise<boolean> {
    return (await this.#store.list(key)).includes(key);
  }

  /** Every snapshot, catalogue and report, as it is stored: the contents of a ledger's first entry. */
  async everything(): Promise<Named[]> {
    const { snapshots, catalogue, reports } = layout;
    const prefixes = [snapshots, catalogue, reports].map((prefix) => prefix(this.#tenantId));
    const keys = (await Promise.all(prefixes.map((prefix) => this.#store.list(prefix)))).flat();
    const objects = await inParallel(keys, async (key) => {
      const object = await this.stored(key);
      return object ? { key, hash: object.hash } : null;
    });
    return objects.filter((object) => object !== null);
  }

  /**
   * `days('', now)` and `catalogues()`, restricted to what the ledger lists; everything if there is no ledger.
   * @returns `returned`: when snapshots came into force again. `catalogues[].named`: when runs listed it, ISO 8601, ascending
   */
  async named(now?: Date): Promise<{
    days: Map<string, string[]>;
    returned: Returned;
    catalogues: { hash: string; named: string[] }[];
  }> {
    // Objects are listed before the ledger is read, because an object's entry is created before the object.
    const [days, catalogues] = [await this.days('', now), await this.catalogues()];
    const files = await this.ledger.read();
    const { named, returned } = contentsOf(files);
    if (files.length === 0)
      return { days, returned, catalogues: catalogues.map((hash) => ({ hash, named: [] })) };
    const isNamed = (date: string) => (hash: string) =>
      named.has(layout.snapshot(this.#tenantId, date, hash));
    return {
      returned,
      days: new Map(
        [...days]
          .map(([date, hashes]) => [date, hashes.filter(isNamed(date))] as const)
          .filter(([, hashes]) => hashes.length > 0),
      ),
      catalogues: catalogues.flatMap((hash) => {
        const entries = named.get(layout.profiles(this.#tenantId, hash));
        // A ledger that begins lists what it finds: that brings nothing back into force.
        const given = entries?.filter(({ kind }) => kind !== 'began').map(({ at }) => at);
        return given ? { hash, named: given } : [];
      }),
    };
  }

  /** The head of the ledger in the last report that has one; null if none has. */
  async lastWitness(): Promise<Head | null> {
    const keys = await this.#store.list(layout.reports(this.#tenantId));
    for (const key of keys.toReversed()) {
      const object = await this.#store.get(key);
      try {
        const archived = JSON.parse(Buffer.from(object?.bytes ?? []).toString('utf8')) as ArchivedReport;
        if (archived.report.ledger) return archived.report.ledger;
      } catch {
        // A damaged report is no witness; verify reports it.
      }
    }
    return null;
  }

  /** The tenant's state after the last report with a score; null if there is none. */
  async lastReported(): Promise<LastReported | null> {
    const keys = await this.#store.list(layout.reports(this.#tenantId));
    for (const key of keys.toSorted((a, b) => (orderOfReport(a) < orderOfReport(b) ? 1 : -1))) {
      const object = await this.#store.get(key);
      if (!object) continue;
      let archived: ArchivedReport;
      try {
        archived = JSON.parse(Buffer.from(object.bytes).toString('utf8')) as ArchivedReport;
      } catch (error) {
        throw damaged(this.#store, key, 'it is not JSON', error);
      }
      if (archived.next?.cursor) return archived.next;
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

  /** @returns the new state, or undefined if another run came first. */
  async swapState(state: State, expected: string | null): Promise<Versioned | undefined> {
    const bytes = Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
    const version = await this.#store.replace(layout.state(this.#tenantId), bytes, expected);
    return version === undefined ? undefined : { state, version };
  }

  async #read<T>(key: string, prove: (bytes: Uint8Array) => T): Promise<T> {
    const object = await this.#store.get(key);
    if (!object) throw damaged(this.#store, key, 'it is missing');
    try {
      return prove(object.bytes);
    } catch (error) {
      if (!(error instanceof Unproven)) throw error;
      throw damaged(this.#store, key, error.message, error);
    }
  }
}

/** An object of reports/: the findings, and who had to be notified of them. */
export interface ArchivedReport {
  report: Report;
  /** The deliveries before they were sent. Reports older than channels have `mails` in their place. */
  deliveries: Pick<Delivery, 'id' | 'destination' | 'kind' | 'subject' | 'to'>[];
  /** The tenant's state after this report. A lost state is restored from it. */
  next: LastReported;
}

/** A sort key: the day, then the time of creation. A report about a future day sorts by the day it was created on. */
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
      ? 'Nothing has to be done: an earlier version archived what cannot be true, and it is ignored.'
      : 'Restore the object from an earlier version or a backup. Nothing was changed or reported.',
    { cause },
  );
}
