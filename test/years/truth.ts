import { randomOf } from '../../simulator/random.ts';
import { FIRST_DAY, type Event, type History } from './history.ts';

/*
 * What is true of a tenant on each day, and when and how Graph answers it. Nothing here knows the product: the oracle
 * compares what the product reports with this.
 */

/** A recommendation, which keeps its `uid` whatever it is called. */
export interface Control {
  uid: number;
  name: string;
  maximum: number;
  users: number;
  failing: number;
  /** Somebody's decision gives its points. */
  given: boolean;
  points: number;
}

/** What Graph says of a day, from a day on. */
export interface Version {
  /** Of this very answer: it stands in the entry, and so in the archive. */
  tag: string;
  date: string;
  /** Index of the day from whose morning on it is answered. */
  from: number;
  /** Answered, and not true: half of the controls, or another total. */
  lie: 'half' | 'total' | null;
  services: string[];
  controls: Control[];
  points: number;
  maximum: number;
}

export interface Update {
  state: string;
  /** ISO 8601. */
  at: string;
  by: string;
}

/** A tenant's truth over the days of a history. */
export interface Truth {
  tenantId: string;
  days: {
    date: string;
    /** Index of the day from whose morning on it is there; infinite: never. */
    published: number;
    versions: Version[];
    /** All that exist that day, whether the tenant has them or not. */
    catalogue: Control[];
  }[];
  /** Decisions by uid, oldest first. */
  decisions: Map<number, Update[]>;
  /** Points of a control that moved because of a decision: `uid day`. */
  decided: Set<string>;
  /** Days of a real loss of most controls, and of their return. */
  upheavals: number[];
}

const DAY_MS = 86_400_000;
const dayAfter = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
export const dateAt = (index: number): string => dayAfter(FIRST_DAY, index);
export const indexOf = (date: string): number =>
  Math.round((Date.parse(date) - Date.parse(FIRST_DAY)) / DAY_MS);

const SERVICES = ['HasEXOP2', 'HasSPOP2', 'HasAADP2', 'HasMDE', 'HasDLP'];
const CONTROLS = 25;
/** Days for which nothing else happens to a control that somebody decided about, so that each move has one cause. */
const LOCKED_DAYS = 30;

const APART_DAYS = 60;

const rounded = (value: number): number => Math.round(value * 100) / 100;
const worth = ({ given, maximum, users, failing }: Omit<Control, 'points'>): number =>
  given ? maximum : rounded(maximum * (1 - failing / users));

/** @param start controls to begin with, of an archive that is there already */
export function truthOf(history: History, tenant: number, tenantId: string, start?: Control[]): Truth {
  const source = randomOf(`truth ${history.seed} ${tenant}`);
  const random = () => source.next();
  const undecided: { on: number; uid: number }[] = [];
  let next = 0;
  const made = (maximum: number, share: number): Control => {
    next += 1;
    const users = 150 + Math.floor(random() * 300);
    const control = {
      uid: next,
      name: `${next % 3 === 0 ? 'mdo_' : 'aad_'}control_${tenant}_${next}`,
      maximum,
      users,
      failing: Math.round(users * share),
      given: false,
    };
    return { ...control, points: worth(control) };
  };
  let controls =
    start ??
    Array.from({ length: CONTROLS }, () =>
      made(1 + Math.floor(random() * 10), Math.floor(random() * 10) / 10),
    );
  next = Math.max(next, ...controls.map(({ uid }) => uid));
  let services = SERVICES.slice(0, 3);
  const truth: Truth = { tenantId, days: [], decisions: new Map(), decided: new Set(), upheavals: [] };
  const locked = new Map<number, number>();
  const planned: { on: number; uid: number; given: boolean }[] = [];
  let away: { until: number; controls: Control[] } | null = null;

  const byDay = new Map<number, Event[]>();
  for (const event of history.events) {
    if (event.tenant === tenant) byDay.set(event.on, [...(byDay.get(event.on) ?? []), event]);
  }
  const lies: { on: number; until: number; kind: 'half' | 'total'; corrected: boolean }[] = [];

  // Two further days confirm what is suspect: lies follow each other, or a real loss, at such a distance that none does.
  const isApart = (on: number) =>
    lies.every((lie) => on - lie.until > APART_DAYS) &&
    truth.upheavals.every((each) => on - each > APART_DAYS);

  for (let on = 0; on < history.days; on += 1) {
    const date = dateAt(on);
    const todays = byDay.get(on) ?? [];
    const free = () => controls.filter(({ uid }) => (locked.get(uid) ?? -1) < on);
    const picked = (pick: number) => free()[Math.floor(pick * free().length)];
    const put = (changed: Omit<Control, 'points'>) => {
      const points = worth(changed);
      controls = controls.map((one) => (one.uid === changed.uid ? { ...changed, points } : one));
    };
    const decide = (uid: number, state: string, afternoon: boolean) => {
      const at = `${date}T${afternoon ? '15' : '02'}:00:00Z`;
      truth.decisions.set(uid, [...(truth.decisions.get(uid) ?? []), { state, at, by: 'ada@contoso.com' }]);
    };

    if (away && away.until <= on) {
      controls = [...controls, ...away.controls];
      away = null;
      truth.upheavals.push(on);
    }
    for (const plan of planned.filter((each) => each.on === on)) {
      const control = controls.find(({ uid }) => uid === plan.uid);
      if (!control) continue;
      put({ ...control, given: plan.given });
      truth.decided.add(`${plan.uid} ${on}`);
    }
    for (const event of todays) {
      if (event.kind === 'drift') {
        const control = picked(event.pick);
        const users = (control?.users ?? 0) + event.users;
        if (control && users > 150 && control.failing <= users) put({ ...control, users });
      } else if (event.kind === 're-score') {
        const control = picked(event.pick);
        if (control) put({ ...control, maximum: event.maximum });
      } else if (event.kind === 'add') {
        if (controls.length < CONTROLS + 6) controls = [...controls, made(event.maximum, event.failing)];
      } else if (event.kind === 'retire') {
        const control = picked(event.pick);
        if (control && controls.length > CONTROLS - 6) controls = controls.filter((one) => one !== control);
      } else if (event.kind === 'rename') {
        const control = picked(event.pick);
        if (control) put({ ...control, name: `${event.prefix}.${control.name.replace(/^\d+\./, '')}` });
      } else if (event.kind === 'services') {
        const licensed = SERVICES[3]!;
        services = services.includes(licensed)
          ? services.filter((one) => one !== licensed)
          : [...services, licensed];
      } else if (event.kind === 'licence' && !away && isApart(on)) {
        const going = free().slice(0, Math.floor(controls.length * 0.7));
        away = { until: on + event.days, controls: going };
        controls = controls.filter((one) => !going.includes(one));
        truth.upheavals.push(on);
      } else if (event.kind === 'decide' && !away) {
        const control = picked(event.pick);
        if (control && control.failing > 0) {
          decide(control.uid, 'ThirdParty', event.afternoon);
          locked.set(control.uid, on + event.until + 7 + LOCKED_DAYS);
          planned.push({ on: on + event.delay, uid: control.uid, given: true });
          planned.push({ on: on + event.until + event.delay, uid: control.uid, given: false });
          undecided.push({ on: on + event.until, uid: control.uid });
        }
      } else if ((event.kind === 'half' || event.kind === 'total') && isApart(on)) {
        lies.push({ on, until: on + event.days, kind: event.kind, corrected: event.corrected });
      }
    }
    for (const { uid } of undecided.filter((each) => each.on === on)) decide(uid, 'Default', false);

    for (const event of todays) {
      if (event.kind === 'move' && !event.afternoon) {
        const control = picked(event.pick);
        if (control) put({ ...control, failing: Math.round(control.users * event.failing) });
      }
    }
    const day: Truth['days'][number] = {
      date,
      published: on,
      versions: [],
      catalogue: [...controls, ...(away?.controls ?? [])],
    };
    truth.days.push(day);
    const lie = lies.find((each) => each.on <= on && on < each.until);
    const version = (of: Control[], from: number, lying?: (typeof lies)[number]) => {
      const isHalf = lying?.kind === 'half';
      const there = isHalf ? of.filter((_, index) => index % 3 === 0) : of;
      const points = rounded(there.reduce((sum, one) => sum + one.points, 0));
      const maximum = there.reduce((sum, one) => sum + one.maximum, 0);
      const last = day.versions.at(-1);
      const same =
        last &&
        JSON.stringify([last.controls, last.services, last.lie]) ===
          JSON.stringify([there, services, lying?.kind ?? null]);
      if (same) return;
      day.versions.push({
        tag: `${date}#${day.versions.length}`,
        date,
        from,
        lie: lying?.kind ?? null,
        services,
        controls: there,
        points: lying?.kind === 'total' ? rounded(points - Math.min(7.25, points)) : points,
        maximum,
      });
    };
    version(controls, on, lie);
    for (const event of todays) {
      if (event.kind === 'move' && event.afternoon) {
        const control = picked(event.pick);
        if (control) put({ ...control, failing: Math.round(control.users * event.failing) });
      }
    }
    if (!lie) version(controls, on + 1);
    else if (lie.corrected) version(controls, on + 1);
    for (const event of todays) {
      if (event.kind === 'restate back') {
        const past = truth.days.slice(Math.max(0, on - event.back), on);
        const former = past.findLast(({ versions }) => versions.length > 1);
        const earlier = former?.versions.at(-2);
        if (former && earlier && !earlier.lie) {
          const tag = event.same ? earlier.tag : `${former.date}#${former.versions.length}`;
          former.versions.push({ ...earlier, tag, from: on + 1 });
        }
      }
      if (event.kind !== 'restate') continue;
      const former = truth.days[on - event.back];
      const last = former?.versions.at(-1);
      if (!former || !last || last.lie) continue;
      const one = last.controls[Math.floor(event.pick * last.controls.length)]!;
      if ((locked.get(one.uid) ?? -1) >= on || one.given) continue;
      const failing = Math.round(one.users * event.failing);
      const restated = { ...one, failing, points: worth({ ...one, failing }) };
      const of = last.controls.map((each) => (each === one ? restated : each));
      former.versions.push({
        ...last,
        tag: `${former.date}#${former.versions.length}`,
        from: on + 1,
        controls: of,
        points: rounded(of.reduce((sum, each) => sum + each.points, 0)),
      });
    }
  }

  for (const [on, events] of byDay) {
    const day = truth.days[on];
    if (!day) continue;
    for (const event of events) {
      if (event.kind === 'missing') day.published = Number.POSITIVE_INFINITY;
      if (event.kind === 'late') day.published = Math.max(day.published, on + event.days);
      if (event.kind === 'silent') {
        for (let index = on; index < Math.min(on + event.days, history.days); index += 1) {
          truth.days[index]!.published = event.backfill
            ? Math.max(truth.days[index]!.published, on + event.days)
            : Number.POSITIVE_INFINITY;
        }
      }
    }
  }
  return truth;
}

/** The version of a day that Graph answers on the morning of another day. */
export function versionOn({ versions }: Truth['days'][number], today: number): Version {
  return versions.findLast(({ from }) => from <= today) ?? versions[0]!;
}
