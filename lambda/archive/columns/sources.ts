import { MonitorError } from '../../errors.ts';
import { profilesAsOf, readProfiles, type Catalogue } from '../../graph/schema.ts';
import type { Log } from '../../ports.ts';
import type { Profiles, Snapshot } from '../../score/snapshot.ts';
import type { Archive } from '../archive.ts';
import type { Returned } from '../ledger.ts';
import { Unproven } from '../proof.ts';
import { inParallel } from './parallel.ts';
import type { ArchivedDay } from './rows.ts';
import type { ColumnsState } from './state.ts';

/** The objects that a run has in memory and need not read again. */
export interface InMemory {
  /** The archived versions of the last days, by date. */
  versions: ReadonlyMap<string, string[]>;
  /** When some of them came into force again. */
  returned: Returned;
  inForce: ReadonlyMap<
    string,
    { hash: string; snapshot: Snapshot; archived: { fetchedAt: string; newest: boolean } | null }
  >;
  catalogue: {
    hash: string;
    raw: unknown[];
    profiles: Profiles;
    /**
     * The time at which this run archived it, or noticed that it is in force again, and its `knownUntil`; null if it was
     * in force before.
     */
    added: { addedAt: string; knownUntil?: string } | null;
  };
}

type Timeline = ColumnsState['catalogues'];

/** The maximum number of catalogues in memory, which are those of neighbouring days. */
const CATALOGUES_AT_HAND = 4;

const NO_PROFILES: Profiles = new Map();

/**
 * The days of a tenant's archive, with the objects from which their rows are made. An unreadable object is logged and left out.
 *
 * The catalogue in force for a snapshot is the last one that came into force, for the first time or again, before the
 * snapshot was fetched; or else the first one. A decision counts from its own date on. For the newest day of an answer,
 * however, every decision made by then counts, as in the mails.
 */
export class Sources {
  readonly #archive: Archive;
  readonly #log: Log;
  readonly #memory: InMemory | undefined;
  /** Hashes of all archived catalogues. */
  readonly #hashes: string[];
  #timeline: Timeline;
  /** True once everything readable is in the timeline. */
  #isComplete = false;
  /** Promises, so that days that are read side by side read their catalogue once. */
  readonly #atHand = new Map<string, Promise<Catalogue | null>>();
  readonly #unproven = new Map<string, string>();
  #unprovenCatalogue: string | null = null;

  private constructor(archive: Archive, log: Log, memory: InMemory | undefined, hashes: string[]) {
    this.#archive = archive;
    this.#log = log;
    this.#memory = memory;
    this.#hashes = hashes;
    this.#timeline = { recent: [], others: hashes.length };
  }

  /**
   * @param written the sources of the present rows; null if there are none, or if this cannot be relied on
   * @returns `shifted`: a catalogue turned up that would have been in force for rows that are already written
   */
  static async open(options: {
    archive: Archive;
    log: Log;
    memory: InMemory | undefined;
    written: ColumnsState | null;
  }): Promise<{ sources: Sources; shifted: boolean }> {
    const { archive, log, memory, written } = options;
    const hashes = await archive.catalogues();
    const sources = new Sources(archive, log, memory, hashes);
    const { recent, others } = written?.catalogues ?? { recent: [], others: 0 };
    const known = new Set(recent.map(({ hash }) => hash));
    const unknown = hashes.filter((hash) => !known.has(hash));
    const { hash, added: ours } = memory?.catalogue ?? { hash: '', added: null };

    const isInForce = !memory || recent.at(-1)?.hash === hash;
    if (unknown.length === others && isInForce) {
      sources.#timeline = { recent, others };
      return { sources, shifted: false };
    }
    // One that is in force again is not new to the archive.
    const added = known.has(hash) ? 0 : 1;
    if (ours && unknown.length === others + added) {
      const { addedAt, ...until } = ours;
      const entry = { hash, fetchedAt: addedAt, ...until };
      sources.#timeline = { recent: [...recent, entry].toSorted(byTime), others };
      return { sources, shifted: written !== null && addedAt <= written.fetchedAt };
    }
    await sources.#readTimeline();
    const { recent: all, others: unreadable } = sources.#timeline;
    const isWritten = ({ fetchedAt }: { fetchedAt: string }) => fetchedAt <= (written?.fetchedAt ?? '');
    const earlier = new Set(
      all.filter((each) => !known.has(each.hash) && isWritten(each)).map((each) => each.hash),
    );
    const isNew = (each: Timeline['recent'][number]) =>
      known.has(each.hash) && !recent.some(({ fetchedAt }) => fetchedAt === each.fetchedAt);
    const since = recent[0]?.fetchedAt ?? '';
    const isShifted =
      earlier.size + unreadable !== others ||
      all.some((each) => isNew(each) && isWritten(each) && each.fetchedAt > since);
    return { sources, shifted: written !== null && isShifted };
  }

  /**
   * The reason, for people, not to derive rows of a day that has been read; null if there is none. A version of the day
   * does not prove itself, or a catalogue does not, so that the days for which it was in force are unknown.
   */
  flaw(date: string): string | null {
    return this.#unproven.get(date) ?? this.#unprovenCatalogue;
  }

  /**
   * @param returned when versions came into force again
   * @returns null if none of its versions can be read; `fetchedAt` is that of the version in force
   */
  async day(
    date: string,
    hashes: string[],
    returned: Returned,
  ): Promise<(ArchivedDay & { fetchedAt: string }) | null> {
    const versions = await this.#versions(date, hashes, returned);
    const last = versions.at(-1);
    if (!last) return null;
    return {
      date,
      versions: versions.map(({ snapshot }) => snapshot),
      seenAt: versions[0]!.fetchedAt,
      ...(await this.#profilesOf(last, date)),
      fetchedAt: last.fetchedAt,
    };
  }

  /** The catalogues that days from `since` on may need. */
  timeline(since: string): Timeline {
    const { recent, others } = this.#timeline;
    const first = recent.findLastIndex(({ fetchedAt }) => fetchedAt.slice(0, 10) < since);
    const left = recent.slice(Math.max(first, 0));
    const gone = new Set(recent.map(({ hash }) => hash)).difference(new Set(left.map(({ hash }) => hash)));
    return { recent: left, others: others + gone.size };
  }

  /** In the order in which they came into force: one that came back stands there again. */
  async #versions(date: string, hashes: string[], returned: Returned) {
    const [only] = hashes;
    const inMemory = hashes.length === 1 ? this.#memory?.inForce.get(date) : undefined;
    if (inMemory?.archived && inMemory.hash === only && inMemory.snapshot.date === date) {
      const { hash, snapshot, archived } = inMemory;
      return [{ hash, snapshot, ...archived }];
    }
    const versions = await Promise.all(
      hashes.map((hash) =>
        this.#unlessDamaged(
          async () => {
            const { fetchedAt, newest, snapshot } = await this.#archive.snapshot(date, hash);
            return { hash, snapshot, fetchedAt, newest };
          },
          (why) => this.#unproven.set(date, why),
        ),
      ),
    );
    return versions
      .flatMap((version) => {
        if (!version) return [];
        const times = [version.fetchedAt, ...(returned.get(version.hash) ?? [])];
        return times.map((since) => ({ version, fetchedAt: since, hash: version.hash }));
      })
      .toSorted(byTime)
      .map(({ version }) => version);
  }

  async #profilesOf(
    { fetchedAt, newest }: { fetchedAt: string; newest: boolean },
    date: string,
  ): Promise<Pick<ArchivedDay, 'profiles' | 'knownUntil'>> {
    for (;;) {
      const inForce = await this.#inForceAt(fetchedAt);
      if (!inForce) return { profiles: NO_PROFILES };
      const { hash, knownUntil } = inForce;
      const catalogue = await this.#catalogue(hash);
      if (catalogue) {
        return {
          profiles: newest ? catalogue.profiles : profilesAsOf(catalogue, date),
          ...(knownUntil === undefined ? {} : { knownUntil }),
        };
      }
      // It has been damaged since it was last read, and counts as missing.
      const { recent, others } = this.#timeline;
      const left = recent.filter((each) => each.hash !== hash);
      // Days are read side by side: another one may have found it out.
      if (left.length < recent.length) this.#timeline = { recent: left, others: others + 1 };
    }
  }

  async #inForceAt(fetchedAt: string): Promise<Timeline['recent'][number] | null> {
    const last = () => this.#timeline.recent.findLast((each) => each.fetchedAt <= fetchedAt);
    if (!last() && this.#timeline.others > 0 && !this.#isComplete) await this.#readTimeline();
    return last() ?? this.#timeline.recent[0] ?? null;
  }

  async #readTimeline(): Promise<void> {
    const { catalogues } = await this.#archive.named();
    const entries = await inParallel(catalogues, ({ hash, named }) =>
      this.#unlessDamaged(
        async () => {
          const first = await this.#archive.factsOfProfiles(hash);
          const again = named.filter((at) => at > first.fetchedAt);
          return [{ hash, ...first }, ...again.map((at) => ({ hash, fetchedAt: at }))];
        },
        (why) => (this.#unprovenCatalogue = why),
      ),
    );
    const recent = entries.flatMap((entry) => entry ?? []).toSorted(byTime);
    const readable = new Set(recent.map(({ hash }) => hash));
    this.#timeline = { recent, others: this.#hashes.length - readable.size };
    this.#isComplete = true;
  }

  async #catalogue(hash: string): Promise<Catalogue | null> {
    if (this.#memory?.catalogue.hash === hash) return this.#memory.catalogue;
    const atHand = this.#atHand.get(hash);
    if (atHand) return atHand;
    const catalogue = this.#unlessDamaged(
      async () => {
        const raw = await this.#archive.profiles(hash);
        return { raw, profiles: readProfiles(raw).profiles };
      },
      (why) => (this.#unprovenCatalogue = why),
    );
    this.#atHand.set(hash, catalogue);
    for (const old of [...this.#atHand.keys()].slice(0, -CATALOGUES_AT_HAND)) this.#atHand.delete(old);
    return catalogue;
  }

  async #unlessDamaged<T>(read: () => Promise<T>, onDamaged: (why: string) => void): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof MonitorError && error.code === 'archive-damaged')) throw error;
      this.#log.error(error.message, { advice: error.advice });
      // An implausible day counts as missing, so it is no evidence that rows should wait for.
      if (!(error.cause instanceof Unproven && error.cause.kind === 'implausible')) onDamaged(error.message);
      return null;
    }
  }
}

/** Of two from the same moment, the one with the smaller hash counts as later, as when a run chooses a version. */
function byTime(a: { fetchedAt: string; hash: string }, b: { fetchedAt: string; hash: string }): number {
  if (a.fetchedAt !== b.fetchedAt) return a.fetchedAt < b.fetchedAt ? -1 : 1;
  return a.hash > b.hash ? -1 : 1;
}
