import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Tenant } from '../../lambda/config.ts';
import type { Message } from '../../lambda/ports.ts';
import type { Renewal } from '../../lambda/rotation/rotate.ts';
import type { WatchResult } from '../../lambda/watch/watch.ts';
import { Faults } from './faults.ts';
import { entryOf, type Served } from './graph.ts';
import { FIVE_YEARS, type Event, type History } from './history.ts';
import { columnsOf, findingsOf } from './product.ts';
import type { YearsStore } from './store.ts';
import { dateAt, indexOf, versionOn, type Control, type Truth, type Update, type Version } from './truth.ts';

/*
 * The oracle knows the truth that the simulation served, and what the product wrote, sent and returned. It works out again
 * what should have been reported, without the product's score, run and report.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const CLOSE = 1e-9;
/** Points move by hundredths. */
const SAME = 0.005;
/** Days within which a decision may move the points. */
const EFFECTIVE_DAYS = 14;

/** An attempt of an invocation, or of the watch. */
export interface Invoked {
  /** Index; −1: the watch. */
  tenant: number;
  day: number;
  at: number;
  /** The date by the clock of the machine, which may be wrong (yyyy-mm-dd). */
  today: string;
  served: Served | null;
  /** Deliveries that were sent, and not noted as sent. */
  unmarked: Set<string>;
}

interface Line {
  date: string;
  percentage: number | null;
}

/** What the oracle reads of a report. */
interface Report {
  from: { date: string; snapshot: string } | null;
  to: { date: string; snapshot: string } | null;
  before: Line | null;
  after: Line | null;
  account: Record<string, number | { percentagePoints: number }> | null;
  days: { date: string; previousDate: string; before: Line; after: Line; changes: Row[] }[];
  confirmed: { control: string; title: string; percentagePoints: number }[];
  start: object | null;
  operations: {
    kind: string;
    since?: string;
    date?: string;
    code?: string;
    queue?: string;
    deliveries?: { subject: string; since: string }[];
  }[];
  toldAt: string;
}

interface Row {
  kind: string;
  control: string | null;
  title: string;
  points: { before: number | null; after: number | null };
  percentagePoints: number;
  cause: string | null;
  fate: string;
}

interface Delivery {
  id: string;
  destination: string;
  kind: string;
  report: string;
  subject: string;
  since: string;
  heard: boolean;
  episodes: { until: string | null }[];
}

interface State {
  cursor: { date: string; snapshot: string } | null;
  outbox: Delivery[];
  claim: { report: Report | null } | null;
  said: { failing: object | null };
}

/** What should be reported of a control on a day. */
interface Expected {
  uid: number;
  kinds: Set<string>;
  /** Instead of lost and gained, where the move may count as drift. */
  mayDrift: boolean;
  before: Control | null;
  after: Control | null;
  share: number;
  causes: Set<string>;
}

interface Archived {
  hash: string;
  version: Version;
  complete: boolean;
}

/** What the oracle reads of a digest. */
interface DigestReport {
  kind?: 'digest';
  tenants: {
    tenantId: string;
    before: Line | null;
    after: Line | null;
    account: Record<'change' | 'earned' | 'rescored' | 'decided' | 'unexplained', number> | null;
    changes: { kind: string; control: string | null; title: string }[];
  }[];
  fleet: { account: Record<string, number> | null; before: number | null; after: number | null };
}

/** A row that was reported, for the digests. */
interface Reported {
  date: string;
  /** One of its moves in a period may cancel another. */
  group: string;
  isMove: boolean;
  percentagePoints: number;
}

/** A digest and what it has reported. */
class DigestBook {
  outbox: Delivery[] = [];
  /** By tenant: the score up to which it has reported, and the reported rows that it has not had yet. */
  readonly last = new Map<number, Line>();
  readonly open = new Map<number, Reported[]>();
}

class Book {
  readonly archived = new Map<string, Archived[]>();
  readonly byHash = new Map<string, Archived>();
  state: State | null = null;
  /** The score that the readers know, and what has happened since. */
  shown: Line | null = null;
  since: Parts = { earned: 0, rescored: 0, decided: 0 };
  /** When the catalogue that the last comparison saw was served. */
  catalogueAt: string | null = null;
  /** When the last complete catalogue that was archived was served. */
  completeAt: string | null = null;
  pending = new Map<number, { date: string; share: number; steps: number }>();
  reports = 0;
  archivedReports = 0;
  lastSuccess: number | null = null;
  succeeded = -1;
  healthy = 0;
  /** Controls whose new maximum a partial catalogue hid: it may be reported when the catalogue is complete again. */
  readonly hidden = new Set<number>();
  /** What operations have heard of. */
  readonly episodes = new Set<string>();
  staleEpisodes = 0;
  staleReported = 0;
  isStale = false;
  /** Required: served to a run that ended well. */
  required = new Map<string, Version>();
  /** What moved the score to each day that counted. */
  readonly steps: { date: string; percentage: number; parts: Parts }[] = [];
}

/** Percentage points, not a number where the truth leaves it open. */
type Parts = Record<'earned' | 'rescored' | 'decided', number>;

const BAD: Event['kind'][] = [
  'outage',
  'off',
  'half',
  'total',
  'placeholder',
  'malformed',
  'partial',
  'empty',
  'licence',
  'throttled',
  'refused',
  'paused',
  'webhook down',
  'webhook deleted',
  'clock',
  'crash',
  'death',
  'half catalogue',
  'no catalogue',
  'at once',
];

/** What may be the reason of an item for operations. */
const REASONS: Record<string, Event['kind'][]> = {
  suspect: ['half', 'licence'],
  disagreeing: ['total'],
  catalogue: ['half catalogue', 'no catalogue', 'licence'],
  failing: ['outage', 'placeholder', 'malformed', 'partial', 'empty', 'crash', 'death'],
  undelivered: ['paused', 'throttled', 'webhook down'],
  dropped: ['refused', 'webhook deleted', 'webhook down', 'paused', 'throttled', 'outage', 'off'],
};
const REASON_DAYS = 15;

/** By tenant: the channel beside mail. */
const CHANNELS = ['soc', 'hook', 'soc'];

/** As often may a delivery be sent before the oracle stops it. */
const MOST_TIMES = 20;

export class Oracle {
  readonly violations: string[] = [];
  readonly figures = {
    runs: 0,
    failed: 0,
    crashes: 0,
    changes: 0,
    reports: 0,
    deliveries: 0,
    repeated: 0,
    dropped: 0,
    watchMails: 0,
    renewals: 0,
    renewalMails: 0,
    /** Renewals that were cut off between the first step and the last. */
    interrupted: 0,
    digests: 0,
    /** By person, and by what they are about: how many on each day. */
    mails: new Map<string, Map<string, Map<number, number>>>(),
  };
  readonly faults = new Faults();
  readonly #tenants: Tenant[];
  readonly #truths: Truth[];
  readonly #books: Book[];
  readonly #sent = new Map<string, number>();
  readonly #excused = new Map<string, number>();
  readonly #seen = new Map<string, Delivery & { tenant: number; since: string }>();
  readonly #mourned = new Set<string>();
  readonly #gone: { tenant: number; day: number; delivery: Delivery }[] = [];
  readonly #events: Event[][][] = [];
  readonly #digests = new Map<string, DigestBook>();
  readonly #leftOver = new Set<string>();
  readonly #watchMails = new Map<string, number>();
  /** By tenant: at which times of the day, in UTC, its schedule fired. */
  readonly #times: Set<number>[] = [];
  readonly #updatedOn: number;

  /** @param updatedOn the last day on which a former version runs; −1: none does */
  constructor(tenants: Tenant[], truths: Truth[], updatedOn: number) {
    this.#updatedOn = updatedOn;
    this.#tenants = tenants;
    this.#truths = truths;
    this.#books = tenants.map(() => new Book());
    for (const _ of tenants) this.#events.push([]);
  }

  violate(text: string): void {
    this.violations.push(text);
  }

  dayBegins(tenant: number, day: number, events: Event[]): void {
    this.#events[tenant]![day] = events;
  }

  fires(tenant: number, at: number): void {
    (this.#times[tenant] ??= new Set()).add(at % DAY_MS);
  }

  #digestBook(name: string): DigestBook {
    const book = this.#digests.get(name) ?? new DigestBook();
    this.#digests.set(name, book);
    return book;
  }

  /** A new object, as the store has it. */
  created(invoked: Invoked, key: string, bytes: Uint8Array): void {
    const [, digest] = /^reports\/digest=([^/]+)\//.exec(key) ?? [];
    if (digest !== undefined) {
      const { report } = JSON.parse(Buffer.from(bytes).toString()) as { report: DigestReport };
      if (report.kind === 'digest') this.#digest(digest, report);
    }
    const [, id, date, hash] = /^snapshots\/tenant=([^/]+)\/date=([^/]+)\/([0-9a-f]+)/.exec(key) ?? [];
    if (id !== undefined && date !== undefined && hash !== undefined) {
      const tenant = this.#tenants.findIndex(({ tenantId }) => tenantId === id);
      const book = this.#books[tenant]!;
      const { newest, secureScore } = JSON.parse(gunzipSync(bytes).toString()) as {
        newest: boolean;
        secureScore: { vendorInformation: { providerVersion: string } };
      };
      const tag = secureScore.vendorInformation.providerVersion;
      const { days } = this.#truths[tenant]!;
      const version = days[indexOf(date)]?.versions.find((each) => each.tag === tag);
      // By a clock that is behind, an older day is the newest, whose texts Graph has dropped already.
      const complete =
        version !== undefined && newest && isDeepStrictEqual(secureScore, entryOf(id, version, true));
      if (!version || !(complete || isDeepStrictEqual(secureScore, entryOf(id, version, false)))) {
        this.violate(`${date} of ${id} is archived as Graph never answered it`);
        return;
      }
      if (book.archived.has(date)) this.faults.meet('restated');
      if (date.endsWith('-02-29')) this.faults.meet('leap day');
      const archived = { hash, version, complete };
      book.archived.set(date, [...(book.archived.get(date) ?? []), archived]);
      book.byHash.set(hash, archived);
    }
    const [, ledger] = /^ledger\/tenant=([^/]+)\//.exec(key) ?? [];
    if (ledger !== undefined) {
      const file = JSON.parse(Buffer.from(bytes).toString()) as { entry: string };
      const { at, added, returned } = JSON.parse(file.entry) as {
        at: string;
        added: { key: string }[];
        returned: string[];
      };
      const book = this.#books[this.#tenants.findIndex(({ tenantId }) => tenantId === ledger)]!;
      if (added.some((object) => object.key.startsWith('profiles/'))) book.completeAt = at;
      for (const object of returned) this.#returned(invoked, book, object);
    }
    const [, whose] = /^reports\/tenant=([^/]+)\//.exec(key) ?? [];
    if (whose !== undefined) {
      this.#books[this.#tenants.findIndex(({ tenantId }) => tenantId === whose)]!.archivedReports += 1;
    }
  }

  /** A version that is in force again: Graph answers it now, and answered another one before. */
  #returned({ day, tenant, served }: Invoked, book: Book, key: string): void {
    const [, date, hash] = /date=([^/]+)\/([0-9a-f]+)/.exec(key)!;
    const archived = book.archived.get(date!) ?? [];
    const back = archived.findLast((each) => each.hash === hash);
    const answered = served?.versions.get(date!);
    const isBack = back && answered && signature(back.version) === signature(answered);
    // What was fetched by a clock that was ahead counts as the last until the clocks have caught up.
    const isForced = answered && signature(archived.at(-1)!.version) === signature(answered);
    if (!isBack || (isForced && !this.#had(tenant, day, 4, ['clock'])))
      return this.violate(
        `day ${day}, tenant ${tenant}: ${key} is in force again, answered was ${answered?.tag}`,
      );
    this.faults.meet('restated back');
    archived.push(back);
  }

  replaced(invoked: Invoked, key: string, bytes: Uint8Array): void {
    const [, digest] = /^state\/digest=(.+)\.json$/.exec(key) ?? [];
    if (digest !== undefined) {
      const book = this.#digestBook(digest);
      const { outbox } = JSON.parse(Buffer.from(bytes).toString()) as State;
      this.#outbox(invoked, -1, book.outbox, outbox);
      book.outbox = outbox;
    }
    const [, id] = /^state\/tenant=(.+)\.json$/.exec(key) ?? [];
    if (id === undefined) return;
    const tenant = this.#tenants.findIndex(({ tenantId }) => tenantId === id);
    const book = this.#books[tenant]!;
    const state = JSON.parse(Buffer.from(bytes).toString()) as State;
    const former = book.state;
    book.state = state;
    this.#outbox(invoked, tenant, former?.outbox ?? [], state.outbox);
    const report = state.claim?.report ?? null;
    const isNew = report !== null && !isDeepStrictEqual(report, former?.claim?.report ?? null);
    if (isNew) {
      book.reports += 1;
      this.figures.reports += 1;
      this.#operations(invoked, tenant, report);
      this.#deposited(invoked, tenant, report, state.outbox);
    }
    const moved =
      state.cursor &&
      state.cursor.snapshot + state.cursor.date !==
        (former?.cursor?.snapshot ?? '') + (former?.cursor?.date ?? '');
    if (moved) this.#step(invoked, tenant, former?.cursor ?? null, state, isNew ? report : null);
    else if (isNew && report.days.length > 0)
      this.violate(`day ${invoked.day}, tenant ${tenant}: days are reported though the cursor stands`);
    else if (isNew) this.#account(invoked, tenant, state, report);
  }

  sent(invoked: Invoked, tenant: number, destination: string, message: Message): void {
    const { id, kind } = message;
    const times = (this.#sent.get(id) ?? 0) + 1;
    this.#sent.set(id, times);
    // A product that never stops sending would never end the test.
    if (times > MOST_TIMES) throw new Error(`${id} is sent for the ${times}th time`);
    invoked.unmarked.add(id);
    this.figures.deliveries += 1;
    if (times > 1) this.figures.repeated += 1;
    if (times > 1 + (this.#excused.get(id) ?? 0))
      this.violate(`day ${invoked.day}, tenant ${tenant}: ${id} is sent again without a reason`);
    const outboxes =
      tenant < 0 ? [...this.#digests.values()] : [{ outbox: this.#books[tenant]!.state!.outbox }];
    if (!outboxes.some(({ outbox }) => outbox.some((each) => each.id === id)))
      this.violate(`day ${invoked.day}, tenant ${tenant}: ${id} is sent and stands in no outbox`);
    if (destination !== 'mail') return;
    if (tenant < 0) {
      this.#count(kind === 'digest' ? 'soc@msp.example' : 'oncall@contoso.com', 'digests', invoked.day);
      return;
    }
    const { recipients, name } = this.#tenants[tenant]!;
    const readers: Partial<Record<typeof kind, string[]>> = {
      start: [...new Set([...recipients.scores, ...recipients.controls])],
      scores: recipients.scores,
      controls: recipients.controls,
      operations: ['oncall@contoso.com'],
    };
    for (const person of readers[kind] ?? []) this.#count(person, name, invoked.day);
  }

  renewalSent(day: number): void {
    this.figures.renewalMails += 1;
    this.#count('oncall@contoso.com', 'renewals', day);
  }

  /**
   * A renewal needs nobody. What it leaves over only ends by itself: keys whose id no answer gave.
   * @param untold how many there can be
   */
  renewed(day: number, { obstacles, leftOver }: Renewal, untold: number): void {
    for (const { code } of obstacles) this.violate(`day ${day}: the renewal needs somebody: ${code}`);
    for (const { thumbprint, clientId } of leftOver) this.#leftOver.add(`${clientId} ${thumbprint}`);
    if (this.#leftOver.size > untold)
      this.violate(
        `day ${day}: ${this.#leftOver.size} keys are left over, of which the ids of ${untold} are unknown`,
      );
  }

  watchSent(day: number, subject: string): void {
    this.figures.watchMails += 1;
    this.#count('oncall@contoso.com', 'watch', day);
    const times = (this.#watchMails.get(`${day} ${subject}`) ?? 0) + 1;
    this.#watchMails.set(`${day} ${subject}`, times);
    if (times > 1 && !(times === 2 && this.#had(0, day, 0, ['watch crash', 'death'])))
      this.violate(`day ${day}: the watch mails ${times} times: ${subject}`);
  }

  #count(person: string, about: string, day: number): void {
    const { mails } = this.figures;
    const of = mails.get(person) ?? new Map<string, Map<number, number>>();
    const days = of.get(about) ?? new Map<number, number>();
    mails.set(person, of.set(about, days.set(day, (days.get(day) ?? 0) + 1)));
  }

  logged({ day }: Invoked, message: string, facts: Record<string, unknown> | undefined): void {
    if (
      /ledger does not name|does not belong|damaged|could not be written/.test(message) &&
      !isInjected(facts)
    )
      this.violate(`day ${day}: the log says: ${message} ${JSON.stringify(facts)}`);
  }

  runEnded(
    invoked: Invoked,
    ending: { result: { pending: unknown[] } } | { error: unknown; excused: boolean },
  ): void {
    const { tenant, day, served } = invoked;
    const book = this.#books[tenant]!;
    this.figures.runs += 1;
    this.ended(invoked);
    if ('error' in ending) {
      this.figures.failed += 1;
      if (ending.excused) this.figures.crashes += 1;
      const { error } = ending;
      const isKnown = error instanceof Error && 'retryable' in error;
      const allowed = this.#had(tenant, day, 1, [
        'outage',
        'placeholder',
        'malformed',
        'partial',
        'empty',
        'at once',
        'crash',
        'death',
        'twice',
        'clock',
      ]);
      if (!ending.excused && !(isKnown && allowed))
        this.violate(
          `day ${day}, tenant ${tenant}: the run failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      return;
    }
    book.lastSuccess = invoked.at;
    book.succeeded = day;
    for (const [date, version] of served?.versions ?? []) book.required.set(date, version);
    const newest = served?.newest?.date;
    if (newest === undefined) return;
    const age = Math.round((Date.parse(invoked.today) - Date.parse(newest)) / DAY_MS);
    const isStale = age >= 3;
    if (isStale && !book.isStale) book.staleEpisodes += 1;
    book.isStale = isStale;
  }

  /** However it ended: what it sent and did not note may be sent once more. */
  ended({ unmarked }: Invoked): void {
    for (const id of unmarked) this.#excused.set(id, (this.#excused.get(id) ?? 0) + 1);
    unmarked.clear();
  }

  watched(day: number, now: number, result: WatchResult): void {
    if (result.damaged.length > 0)
      this.violate(`day ${day}: the watch finds damage: ${JSON.stringify(result.damaged)}`);
    for (const { tenant } of result.overdue) {
      const index = this.#tenants.findIndex(({ tenantId }) => tenantId === tenant);
      const last = this.#books[index]!.lastSuccess;
      if (last !== null && now - last < 24 * 60 * MINUTE_MS && !this.#had(index, day, 3, ['clock']))
        this.violate(`day ${day}: the watch calls tenant ${index} overdue`);
    }
  }

  dayEnds(tenant: number, day: number): void {
    const book = this.#books[tenant]!;
    book.healthy = this.#had(tenant, day, 0, BAD) ? 0 : book.healthy + 1;
    if (book.healthy < 3 || book.succeeded !== day) return;
    const { state } = book;
    const where = `day ${day}, tenant ${tenant}: three days after the last fault`;
    if (!state) return this.violate(`${where} there is no state`);
    if (state.outbox.length > 0 || state.claim)
      this.violate(
        `${where} something waits: ${state.outbox.map(({ id, kind }) => `${kind} ${id}`).join(', ')}`,
      );
    if (state.said.failing) this.violate(`${where} the runs count as failing`);
    const newest = this.#newest(tenant, day);
    const upheaval = this.#truths[tenant]!.upheavals.some(
      (on) => on <= day && this.#published(tenant, on, day) <= 3,
    );
    const isNear = upheaval || this.#had(tenant, day, 4, ['half', 'total']) || (newest && newest.lie);
    if (newest && !isNear && state.cursor?.date !== newest.date)
      this.violate(`${where} the newest day ${newest.date} is not compared: ${state.cursor?.date}`);
  }

  /** How many days from one on are there on another. */
  #published(tenant: number, from: number, day: number): number {
    return this.#truths[tenant]!.days.slice(from, day + 1).filter(({ published }) => published <= day).length;
  }

  #newest(tenant: number, day: number): Version | null {
    const { days } = this.#truths[tenant]!;
    for (let index = day; index >= 0; index -= 1)
      if (days[index]!.published <= day) return versionOn(days[index]!, day);
    return null;
  }

  #had(tenant: number, day: number, back: number, kinds: Event['kind'][]): boolean {
    const days = this.#events[tenant]!;
    for (let index = Math.max(0, day - back); index <= day; index += 1)
      if (days[index]?.some(({ kind }) => kinds.includes(kind))) return true;
    return false;
  }

  /** Deliveries that came and went. */
  #outbox(invoked: Invoked, tenant: number, former: Delivery[], outbox: Delivery[]): void {
    const { day } = invoked;
    const left = new Set(outbox.map(({ id }) => id));
    for (const delivery of former) {
      if (left.has(delivery.id)) continue;
      invoked.unmarked.delete(delivery.id);
      if ((this.#sent.get(delivery.id) ?? 0) > 0) continue;
      const isPast = delivery.episodes.length > 0 && delivery.episodes.every(({ until }) => until !== null);
      if (isPast && !delivery.heard) continue;
      this.figures.dropped += 1;
      const age = (invoked.at - Date.parse(delivery.since)) / DAY_MS;
      if (!(age > 6.9 || this.#had(Math.max(tenant, 0), day, 0, ['refused', 'webhook deleted', 'clock'])))
        this.violate(
          `day ${day}, tenant ${tenant}: ${delivery.kind} to ${delivery.destination} is dropped without a reason`,
        );
      if (tenant >= 0 && (delivery.destination !== 'mail' || delivery.kind !== 'operations'))
        this.#gone.push({ tenant, day, delivery });
    }
    for (const delivery of outbox) {
      if (!this.#seen.has(delivery.id)) this.#seen.set(delivery.id, { ...delivery, tenant });
      else if (!former.some(({ id }) => id === delivery.id))
        this.violate(`day ${day}, tenant ${tenant}: ${delivery.id} is back in the outbox`);
    }
  }

  /** Whatever a report merits goes to everyone who is to be notified of it. */
  #deposited({ day }: Invoked, tenant: number, report: Report, outbox: Delivery[]): void {
    const rows = report.days.flatMap(({ changes }) => changes.filter(({ fate }) => fate === 'told'));
    const has = (...kinds: string[]) => rows.some(({ kind }) => kinds.includes(kind));
    const kinds = [
      ...(report.start ? ['start'] : []),
      ...(has('lost', 'gained') || report.confirmed.length > 0 ? ['scores'] : []),
      ...(has('new', 'removed', 're-scored', 'decided') ? ['controls'] : []),
      ...(report.operations.length > 0 ? ['operations'] : []),
    ];
    for (const kind of kinds)
      for (const destination of ['mail', CHANNELS[tenant]!])
        if (
          !outbox.some(
            (each) => each.kind === kind && each.destination === destination && each.since === report.toldAt,
          ) &&
          !(kind === 'operations' && destination !== 'mail')
        )
          this.violate(`day ${day}, tenant ${tenant}: ${destination} gets no ${kind} of ${report.toldAt}`);
  }

  #operations({ day }: Invoked, tenant: number, report: Report): void {
    const book = this.#books[tenant]!;
    for (const item of report.operations) {
      const { kind, date, code, queue, deliveries } = item;
      const episode = JSON.stringify([kind, item.since ?? date, code, queue, deliveries]);
      if (book.episodes.has(episode))
        this.violate(`day ${day}, tenant ${tenant}: operations hear again of ${episode}`);
      book.episodes.add(episode);
      if (item.kind === 'stale') {
        book.staleReported += 1;
        if (book.staleReported > book.staleEpisodes + 1)
          this.violate(`day ${day}, tenant ${tenant}: stale is reported more often than it was`);
        continue;
      }
      for (const { subject, since } of item.deliveries ?? [])
        this.#mourned.add(`${tenant} ${subject} ${since}`);
      const reasons = REASONS[item.kind];
      if (!reasons || !this.#had(tenant, day, REASON_DAYS, reasons))
        this.violate(
          `day ${day}, tenant ${tenant}: operations hear of ${JSON.stringify(item)} without a reason`,
        );
    }
  }

  /** The cursor has moved: everything between is compared, and what is worth a mail is reported. */
  #step(invoked: Invoked, tenant: number, from: State['cursor'], state: State, report: Report | null): void {
    const book = this.#books[tenant]!;
    const truth = this.#truths[tenant]!;
    const { day, served } = invoked;
    const to = state.cursor!;
    const where = `day ${day}, tenant ${tenant}, ${from?.date ?? 'the beginning'} to ${to.date}`;
    const toKnown = book.byHash.get(to.snapshot);
    if (!toKnown) return this.violate(`${where}: the cursor refers to an object that is not archived`);
    const catalogueAt = served?.catalogue.complete
      ? served.catalogue.at
      : (book.completeAt ?? served!.catalogue.at);
    const formerAt = book.catalogueAt;
    book.catalogueAt = catalogueAt;
    if (!from) {
      if (!report?.start) this.violate(`${where}: there is no report of the beginning`);
      book.shown = line(toKnown.version);
      return;
    }
    if (to.date <= from.date) return this.violate(`${where}: the cursor goes back`);
    const start = book.byHash.get(from.snapshot)!;
    const days: Archived[] = [];
    for (let index = indexOf(from.date) + 1; index <= indexOf(to.date); index += 1) {
      const found = inForce(book, dateAt(index), served);
      if (found && !found.version.lie) days.push(found);
    }
    if (
      report &&
      !isDeepStrictEqual(
        report.days.map(({ date }) => date),
        days.map(({ version }) => version.date),
      )
    )
      this.violate(
        `${where}: the days reported are ${report.days.map(({ date }) => date).join(' ')}, expected ${days.map(({ version }) => version.date).join(' ')}`,
      );
    if (report && (report.from?.snapshot !== from.snapshot || report.to?.snapshot !== to.snapshot))
      this.violate(`${where}: the report is of other objects`);

    const decided = decisionsBetween(truth, formerAt, catalogueAt);
    const found = new Map<number, number>();
    const confirmed = new Set<string>();
    let before = start;
    const hasGap = days.length > 1;
    for (const after of days) {
      const expected = differences(truth, before, after, { catalogueAt, isFormer: day <= this.#updatedOn });
      this.#meet(before, after, expected);
      this.#pending(tenant, expected, after, confirmed);
      const parts: Parts = { earned: 0, rescored: 0, decided: 0 };
      for (const { share, causes } of expected) {
        const cause = causes.size === 1 ? [...causes][0] : 'open';
        if (cause === 'earned' || cause === 'rescored' || cause === 'decided') parts[cause] += share;
        else if (share !== 0) parts.earned = Number.NaN;
      }
      for (const part of PARTS) book.since[part] += parts[part];
      book.steps.push({ date: after.version.date, percentage: percentage(after.version), parts });
      this.figures.changes += expected.filter(({ kinds }) => kinds.size > 0).length;
      const rows = report?.days.find(({ date }) => date === after.version.date)?.changes;
      if (rows)
        this.#compare(
          `${where}: ${after.version.date}`,
          tenant,
          rows,
          expected,
          before,
          after,
          { hasGap, isPartial: served?.catalogue.complete === false },
          found,
        );
      else if (!report) {
        for (const each of expected) {
          if (this.#isMailable(tenant, each))
            this.violate(
              `${where}: nobody hears of ${[...each.kinds].join('/')} ${each.after?.name ?? each.before?.name} on ${after.version.date}`,
            );
        }
        if (!isDeepStrictEqual(before.version.services, after.version.services))
          this.violate(`${where}: nobody hears of the services`);
      }
      before = after;
    }
    for (const [uid, updates] of decided) {
      for (const { state: made } of updates) this.faults.meet(made === 'Default' ? 'taken back' : 'decided');
      const update = updates.at(-1)!;
      const control = toKnown.version.controls.find((each) => each.uid === uid);
      const was = start.version.controls.some((each) => each.uid === uid);
      const times = found.get(uid) ?? 0;
      found.delete(uid);
      if (!control || !was || this.#isMuted(tenant, control.name)) continue;
      // Of several in a gap, each may have its day; those between two snapshots are one.
      if (times < 1 || times > updates.length)
        this.violate(
          `${where}: the decision ${update.state} of ${update.at} on ${control.name} is reported ${times} times`,
        );
    }
    for (const [uid] of found) {
      const control = toKnown.version.controls.find((each) => each.uid === uid);
      if (control && start.version.controls.some((each) => each.uid === uid))
        this.violate(`${where}: a decision on ${control.name} is reported that nobody took`);
    }
    if (report) {
      this.#account(invoked, tenant, state, report);
      for (const digest of this.#digests.values())
        digest.open.set(tenant, [...(digest.open.get(tenant) ?? []), ...reportedIn(report, to.date)]);
    }
  }

  /** What a report must say that Microsoft did. */
  #meet(before: Archived, after: Archived, expected: Expected[]): void {
    for (const kind of ['new', 'removed', 'renamed', 're-scored'] as const)
      if (expected.some(({ kinds }) => kinds.has(kind))) this.faults.meet(kind);
    if (!isDeepStrictEqual(before.version.services, after.version.services)) this.faults.meet('services');
    const removed = expected.filter(({ kinds }) => kinds.has('removed'));
    if (removed.length > before.version.controls.length / 2) this.faults.meet('licence');
  }

  /** A run begins: @param isRetry of the same invocation */
  begins({ tenant }: Invoked, isRetry: boolean): void {
    if (isRetry) this.faults.meet('retried by the same invocation');
    else if (this.#books[tenant]!.state?.claim) this.faults.meet('taken over from a dead invocation');
  }

  /** A digest says of every tenant what was reported since the last one, once, and its parts add up. */
  #digest(name: string, report: DigestReport): void {
    this.figures.digests += 1;
    const digest = this.#digestBook(name);
    const compared: Record<string, number>[] = [];
    for (const { tenantId, before, after, account, changes } of report.tenants) {
      const tenant = this.#tenants.findIndex((each) => each.tenantId === tenantId);
      const book = this.#books[tenant]!;
      const where = `digest ${name}, tenant ${tenant}, ${before?.date} to ${after?.date}`;
      const last = digest.last.get(tenant);
      if (last && !(before?.date === last.date && before.percentage === last.percentage))
        this.violate(
          `${where}: it begins with ${before?.percentage}, the last one ended with ${last.percentage}`,
        );
      if (!after) continue;
      digest.last.set(tenant, after);
      const open = digest.open.get(tenant) ?? [];
      digest.open.set(
        tenant,
        open.filter(({ date }) => date > after.date),
      );
      if (!account || !before) continue;
      compared.push(account);
      const steps = book.steps.filter(({ date }) => date > before.date && date <= after.date);
      const end = steps.at(-1)?.percentage ?? before.percentage!;
      if (Math.abs(end - after.percentage!) > CLOSE)
        this.violate(`${where}: it ends with ${after.percentage}, reported was ${end}`);
      const sum = account.earned + account.rescored + account.decided + account.unexplained;
      if (Math.abs(sum - (after.percentage! - before.percentage!)) > CLOSE || account.change - sum > CLOSE)
        this.violate(`${where}: the parts add up to ${sum}`);
      if (Math.abs(account.unexplained) > CLOSE)
        this.violate(`${where}: ${account.unexplained} is not explained`);
      for (const part of PARTS) {
        const truth = steps.reduce((all, { parts }) => all + parts[part], 0);
        const isOpen = steps.some(({ parts }) => Number.isNaN(parts.earned));
        if (!isOpen && Math.abs(account[part] - truth) > CLOSE)
          this.violate(`${where}: ${part} ${account[part]}, expected ${truth}`);
      }
      const groups = Map.groupBy(
        open.filter(({ date }) => date <= after.date),
        ({ group }) => group,
      );
      const listed = changes.map((change) => groupOf(change).group);
      if (new Set(listed).size < listed.length) this.violate(`${where}: a change is listed twice`);
      for (const group of listed)
        if (!groups.has(group))
          this.violate(`${where}: ${group} is listed, and was not reported since the last one`);
      for (const [group, rows] of groups) {
        const net = rows.reduce((all, { percentagePoints }) => all + percentagePoints, 0);
        const mayCancel = rows[0]!.isMove && (rows.length > 1 || Math.abs(net) < 0.01);
        if (!listed.includes(group) && !mayCancel)
          this.violate(`${where}: ${group} was reported, and is not listed`);
      }
    }
    for (const part of ['change', ...PARTS]) {
      const mean = compared.reduce((all, account) => all + account[part]!, 0) / compared.length;
      if (compared.length > 0 && !(Math.abs(report.fleet.account![part]! - mean) < CLOSE))
        this.violate(
          `digest ${name}: the fleet's ${part} is ${report.fleet.account![part]}, expected ${mean}`,
        );
    }
  }

  #isMuted(tenant: number, name: string): boolean {
    return tenant === 2 && name.includes('mdo_');
  }

  #isMailable(tenant: number, { kinds, mayDrift, before, after }: Expected): boolean {
    if (this.#isMuted(tenant, (after ?? before)!.name)) return false;
    if ([...kinds].some((kind) => ['new', 'removed', 're-scored'].includes(kind))) return true;
    if (!kinds.has('move') || mayDrift) return false;
    const move = after!.points - before!.points;
    return tenant === 1
      ? move >= 0.3 && !this.#books[1]!.pending.has(after!.uid) && !this.#healed.has(after!.uid)
      : true;
  }

  /** Controls of the second tenant whose drop healed on the day at hand. */
  readonly #healed = new Set<number>();

  /** Follows the drops of the tenant that confirms them. */
  #pending(tenant: number, expected: Expected[], day: Archived, confirmed: Set<string>): void {
    if (tenant !== 1) return;
    const { pending } = this.#books[tenant]!;
    this.#healed.clear();
    const at = new Map(day.version.controls.map((control) => [control.uid, control]));
    for (const [uid, drop] of pending) {
      const control = at.get(uid);
      if (!control) pending.delete(uid);
      else if (control.points / control.maximum >= drop.share - 0.002) {
        pending.delete(uid);
        this.#healed.add(uid);
      } else {
        drop.steps += 1;
        if (drop.steps >= 2) {
          pending.delete(uid);
          confirmed.add(control.name);
        }
      }
    }
    for (const { uid, kinds, before, after } of expected) {
      if (
        kinds.size === 1 &&
        kinds.has('move') &&
        after!.points - before!.points <= -0.3 + CLOSE &&
        !pending.has(uid) &&
        !confirmed.has(after!.name)
      )
        pending.set(uid, { date: day.version.date, share: before!.points / before!.maximum, steps: 0 });
    }
  }

  #compare(
    where: string,
    tenant: number,
    rows: Row[],
    expected: Expected[],
    before: Archived,
    after: Archived,
    { hasGap, isPartial }: { hasGap: boolean; isPartial: boolean },
    found: Map<number, number>,
  ): void {
    const { hidden } = this.#books[tenant]!;
    const byName = new Map<string, Row[]>();
    for (const row of rows)
      if (row.control !== null) byName.set(row.control, [...(byName.get(row.control) ?? []), row]);
    for (const each of expected) {
      const control = (each.after ?? each.before)!;
      const own = byName.get(control.name) ?? [];
      byName.delete(control.name);
      const got = new Set(own.map(({ kind }) => kind));
      const decidedRows = own.filter(({ kind }) => kind === 'decided').length;
      if (decidedRows > 0) found.set(each.uid, (found.get(each.uid) ?? 0) + decidedRows);
      got.delete('decided');
      const label = `${control.name} (${[...got].join('/') || 'nothing'}, expected ${[...each.kinds].join('/')})`;
      const noPoints = (each.before?.points ?? 0) === 0 || (each.after?.points ?? 0) === 0;
      const wanted = new Set(each.kinds);
      // The maximum of a control without points is in the catalogue alone.
      const isUncertain = (hasGap || isPartial) && noPoints && wanted.has('re-scored');
      if (isUncertain && isPartial) hidden.add(each.uid);
      if (!wanted.has('re-scored') && got.has('re-scored') && hidden.delete(each.uid)) continue;
      if (wanted.delete('move')) {
        const up = (each.after?.points ?? 0) > (each.before?.points ?? 0);
        const moved = own.find(({ kind }) => ['lost', 'gained', 'drift'].includes(kind));
        const allowed = each.mayDrift ? ['drift', up ? 'gained' : 'lost'] : [up ? 'gained' : 'lost'];
        if (!moved || !allowed.includes(moved.kind))
          this.violate(`${where}: ${label}: the move is ${moved?.kind ?? 'not reported'}`);
        for (const kind of ['lost', 'gained', 'drift']) got.delete(kind);
      }
      if (isUncertain) continue;
      if (!isDeepStrictEqual(wanted, got)) this.violate(`${where}: ${label}`);
      const one = own.find(({ kind }) => kind !== 'decided' || own.length === 1);
      if (
        one &&
        each.kinds.size > 0 &&
        (!close(one.points.before, each.before?.points ?? null) ||
          !close(one.points.after, each.after?.points ?? null))
      )
        this.violate(`${where}: ${label}: points ${JSON.stringify(one.points)}`);
      const share = own.reduce((sum, row) => sum + row.percentagePoints, 0);
      if (Math.abs(share - each.share) > CLOSE)
        this.violate(`${where}: ${label}: share ${share}, expected ${each.share}`);
      for (const { cause } of own)
        if (cause !== null && !each.causes.has(cause))
          this.violate(`${where}: ${label}: caused by ${cause}, expected ${[...each.causes].join('/')}`);
      const isOpen = this.#isMuted(tenant, control.name) || each.mayDrift;
      if (tenant !== 1 && !isOpen) {
        for (const row of own) {
          const isFolded = row.fate === 'folded' && each.kinds.has('re-scored');
          if (row.fate !== 'told' && !isFolded)
            this.violate(`${where}: ${label}: ${row.kind} is ${row.fate}`);
        }
      }
    }
    for (const [name, own] of byName) {
      const uid = after.version.controls.find((each) => each.name === name)?.uid;
      if (own.every(({ kind }) => kind === 'decided') && uid !== undefined)
        found.set(uid, (found.get(uid) ?? 0) + own.length);
      else if (!(
        own.every(({ kind }) => kind === 're-scored') &&
        (hasGap || (uid !== undefined && hidden.delete(uid)))
      ))
        this.violate(
          `${where}: ${name} is reported as ${own.map(({ kind }) => kind).join('/')}, and nothing happened to it`,
        );
    }
    const services = rows.filter(({ kind }) => kind === 'services').length;
    const changed = isDeepStrictEqual(before.version.services, after.version.services) ? 0 : 1;
    if (services !== changed) this.violate(`${where}: ${services} changes of services, expected ${changed}`);
    const total = rows.reduce((sum, { percentagePoints }) => sum + percentagePoints, 0);
    const change = percentage(after.version) - percentage(before.version);
    if (Math.abs(total - change) > CLOSE)
      this.violate(`${where}: the rows add up to ${total}, the score moved by ${change}`);
  }

  #account(invoked: Invoked, tenant: number, state: State, report: Report): void {
    const book = this.#books[tenant]!;
    const where = `day ${invoked.day}, tenant ${tenant}, account`;
    const { account, before, after } = report;
    if (account && before && after) {
      const parts = Object.fromEntries(
        Object.entries(account).map(([name, part]) => [
          name,
          typeof part === 'number' ? part : part.percentagePoints,
        ]),
      );
      const sum = Object.values(parts).reduce((total, part) => total + part, 0);
      const change = after.percentage! - before.percentage!;
      if (Math.abs(sum - change) > CLOSE)
        this.violate(`${where}: the parts add up to ${sum}, the score moved by ${change}`);
      if (before.date !== book.shown?.date || before.percentage !== book.shown.percentage)
        this.violate(
          `${where}: it begins with ${JSON.stringify(before)}, last reported was ${JSON.stringify(book.shown)}`,
        );
      if (Math.abs(parts['unexplained']!) > CLOSE)
        this.violate(`${where}: ${parts['unexplained']} is not explained`);
      const { earned, rescored, decided } = book.since;
      if (tenant !== 2 && !Number.isNaN(earned)) {
        const here = sum - parts['rescored']! - parts['decided']! - parts['unexplained']!;
        for (const [name, got, wanted] of [
          ['earned', here, earned],
          ['re-scored', parts['rescored']!, rescored],
          ['decided', parts['decided']!, decided],
        ] as const)
          if (Math.abs(got - wanted) > CLOSE) this.violate(`${where}: ${name} ${got}, expected ${wanted}`);
      }
    }
    const kinds = new Set(
      state.outbox
        .filter(({ destination, since }) => destination === 'mail' && since === report.toldAt)
        .map(({ kind }) => kind),
    );
    const { scores, controls } = this.#tenants[tenant]!.recipients;
    const alike = isDeepStrictEqual(scores, controls);
    if (after && (kinds.has('start') || kinds.has('scores') || (kinds.has('controls') && alike))) {
      book.shown = { date: after.date, percentage: after.percentage };
      book.since = { earned: 0, rescored: 0, decided: 0 };
    }
  }

  /** That the period has what only years have: each kind of fault, changes of clocks, renewals, one of them cut off. */
  #fiveYears(tenants: number[]): void {
    const { renewals, interrupted } = this.figures;
    const missing = this.faults.missing();
    if (missing.length > 0) this.violate(`never met: ${missing.join(', ')}`);
    if (renewals < 3 || interrupted < 1)
      this.violate(`only ${renewals} renewals, of which ${interrupted} were interrupted`);
    for (const tenant of tenants)
      if (this.#times[tenant]!.size < 2) this.violate(`tenant ${tenant}: the clocks never changed`);
  }

  /** What the former version has left is there when the newer one begins. */
  updated(): void {
    if (this.#books.some(({ state }) => state !== null)) this.faults.meet('updated');
  }

  /** After the last day. */
  async finish(
    store: YearsStore,
    removableKeys: Map<string, number>,
    { days, tenants }: History,
  ): Promise<void> {
    for (const [name, { open, outbox }] of this.#digests) {
      if (outbox.length > 0) this.violate(`the digest ${name} still waits`);
      const left = name === 'daily' ? [...open.values()].flat() : [];
      for (const { date, group } of left)
        if (date < dateAt(days - 2)) this.violate(`the digest ${name} never had ${group} of ${date}`);
    }
    if (days >= FIVE_YEARS) this.#fiveYears(tenants);
    for (const { tenant, day, delivery } of this.#gone) {
      if (!this.#mourned.has(`${tenant} ${delivery.subject} ${delivery.since}`))
        this.violate(
          `day ${day}, tenant ${tenant}: nobody hears that ${delivery.subject} to ${delivery.destination} was dropped`,
        );
    }
    for (const [app, number] of removableKeys)
      if (number > 2) this.violate(`${number} keys are left over in ${app}`);
    for (const [tenant, book] of this.#books.entries()) {
      const { tenantId } = this.#tenants[tenant]!;
      if (book.reports !== book.archivedReports && !book.state?.claim?.report)
        this.violate(`tenant ${tenant}: ${book.reports} reports were made, ${book.archivedReports} archived`);
      for (const [date, version] of book.required) {
        // A run that failed may have been answered a later version, and archived it.
        const since = this.#truths[tenant]!.days[indexOf(date)]!.versions.filter(
          ({ from }) => from >= version.from && from < days,
        );
        const last = book.archived.get(date)?.at(-1);
        if (!last || !since.some((each) => signature(each) === signature(last.version)))
          this.violate(
            `tenant ${tenant}: ${date} was answered as ${version.tag}, and ${last?.version.tag} is in force`,
          );
      }
      for (const finding of await findingsOf(store, tenantId))
        this.violate(`tenant ${tenant}: verify finds ${JSON.stringify(finding)}`);
      const { differing, scores } = await columnsOf(store, tenantId);
      for (const key of differing) this.violate(`tenant ${tenant}: a rebuild makes another ${key}`);
      // What counts is what was fetched last, by whichever run: one that died later asks for fewer days when it is retried.
      for (const [date, versions] of book.archived) {
        const { version } = versions.at(-1)!;
        const row = scores.get(date);
        const isThere =
          row !== undefined && close(row.points, version.points) && close(row.maximum, version.maximum);
        if (!isThere && !version.lie)
          this.violate(
            `tenant ${tenant}: the columns have ${JSON.stringify(row)} for ${version.tag}, ${version.points} of ${version.maximum}`,
          );
      }
    }
  }
}

const PARTS = ['earned', 'rescored', 'decided'] as const;

const MOVES = new Set(['lost', 'gained']);
const LISTED = new Set([...MOVES, 'new', 'removed', 're-scored', 'services', 'decided']);

function groupOf({ kind, control, title }: { kind: string; control: string | null; title?: string }) {
  const isMove = MOVES.has(kind);
  return { isMove, group: `${isMove ? 'moved' : kind} ${control ?? title}` };
}

/** The rows of a report that people were notified of, each once: a gain by a decision is the row of the decision. */
function reportedIn(report: Report, date: string): Reported[] {
  const rows = report.days.flatMap(({ changes }) =>
    changes.filter(
      ({ kind, control, fate }) =>
        fate === 'told' &&
        LISTED.has(kind) &&
        !(MOVES.has(kind) && changes.some((other) => other.control === control && other.cause === 'decided')),
    ),
  );
  const confirmed = report.confirmed.map((drop) => ({ ...drop, kind: 'lost' }));
  return [...rows, ...confirmed].map((row) => ({
    date,
    percentagePoints: row.percentagePoints,
    ...groupOf(row),
  }));
}

/** A death, or a failure, at a port. */
const isInjected = (facts: Record<string, unknown> | undefined): boolean =>
  facts?.['error'] === '' || String(facts?.['error']).includes('It does not answer');
const percentage = ({ points, maximum }: Version): number => (100 * points) / maximum;
const line = (version: Version): Line => ({ date: version.date, percentage: percentage(version) });
const close = (a: number | null, b: number | null): boolean =>
  a === null || b === null ? a === b : Math.abs(a - b) < CLOSE;

const signatures = new WeakMap<Version, string>();
/** What makes two answers of a day the same. */
function signature(version: Version): string {
  const known =
    signatures.get(version) ??
    `${version.points}/${version.maximum} ${version.controls.map(({ name, points }) => `${name}=${points}`).join(' ')}`;
  signatures.set(version, known);
  return known;
}

/** The version of a day that counts for a run: what it was answered, else what was archived last. */
function inForce(book: Book, date: string, served: Served | null): Archived | null {
  const archived = book.archived.get(date) ?? [];
  const answered = served?.versions.get(date);
  const last = archived.at(-1) ?? null;
  if (!answered) return last;
  return archived.findLast(({ version }) => signature(version) === signature(answered)) ?? last;
}

/** Decisions that one catalogue shows and the other did not, by control. */
function decisionsBetween({ decisions }: Truth, from: string | null, to: string): Map<number, Update[]> {
  const found = new Map<number, Update[]>();
  for (const [uid, updates] of decisions) {
    const since = from === null ? 0 : Date.parse(from);
    const shown = updates.filter(({ at }) => Date.parse(at) > since && Date.parse(at) <= Date.parse(to));
    if (shown.length > 0) found.set(uid, shown);
  }
  return found;
}

/** How many more or fewer may fail, of so many, while people come and go: 1 %, of a tenant of this size at most 3. */
const driftOf = (users: number): number => Math.min(0.01 * users, 3);

/** What differs between two days, worked out from the truth. */
function differences(
  truth: Truth,
  from: Archived,
  to: Archived,
  { catalogueAt, isFormer }: { catalogueAt: string; isFormer: boolean },
): Expected[] {
  const [a, b] = [from.version, to.version];
  const earlier = new Map(a.controls.map((control) => [control.uid, control]));
  const later = new Map(b.controls.map((control) => [control.uid, control]));
  const shareOf = (points: number, maximum: number) =>
    100 *
    ((points * (1 / a.maximum + 1 / b.maximum)) / 2 -
      (maximum * (a.points + b.points)) / (2 * a.maximum * b.maximum));
  const expected: Expected[] = [];
  for (const uid of new Set([...earlier.keys(), ...later.keys()])) {
    const before = earlier.get(uid) ?? null;
    const after = later.get(uid) ?? null;
    const kinds = new Set<string>();
    let mayDrift = false;
    const causes = new Set<string>();
    const points = (after?.points ?? 0) - (before?.points ?? 0);
    const maximum = (after?.maximum ?? 0) - (before?.maximum ?? 0);
    if (!before || !after) {
      kinds.add(before ? 'removed' : 'new');
      causes.add('rescored');
    } else {
      if (maximum !== 0) kinds.add('re-scored');
      if (before.name !== after.name) kinds.add('renamed');
      if (Math.abs(points) > SAME) {
        kinds.add('move');
        const failing = Math.abs(after.failing - before.failing);
        mayDrift = before.users !== after.users && failing <= driftOf(Math.min(before.users, after.users));
      }
      if (maximum !== 0) causes.add('rescored');
      else if (Math.abs(points) > SAME) {
        let latest: number | null = null;
        for (let day = indexOf(a.date) + 1; day <= indexOf(b.date); day += 1)
          if (truth.decided.has(`${uid} ${day}`)) latest = day;
        // A mark gives points, and Default takes them back.
        const decision = truth.decisions
          .get(uid)
          ?.findLast(({ state, at }) => (state === 'Default') === points < 0 && at.slice(0, 10) <= b.date);
        const age = decision
          ? (Date.parse(a.date) + DAY_MS - Date.parse(decision.at)) / DAY_MS
          : Number.POSITIVE_INFINITY;
        // A decision that Graph has hidden so far explains nothing yet.
        const isKnown = decision !== undefined && Date.parse(decision.at) <= Date.parse(catalogueAt);
        if (latest === null) causes.add('earned');
        // Release 0.1.0 has other rules for a mark that was taken back and for gaps.
        else if (isKnown && age <= EFFECTIVE_DAYS - 1 && !isFormer) causes.add('decided');
        else causes.add('decided').add('earned');
      }
    }
    if (kinds.size > 0)
      expected.push({
        uid,
        kinds,
        mayDrift,
        before,
        after,
        share: shareOf(Math.abs(points) > SAME || maximum !== 0 ? points : 0, maximum),
        causes: causes.size > 0 ? causes : new Set(['none']),
      });
  }
  return expected;
}
