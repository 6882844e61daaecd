import { randomOf } from '../../simulator/random.ts';
import { releases } from '../releases/former.ts';
import type { Death, Recipe } from './faults.ts';

/*
 * What happens in five years, as plain data: each event is described by itself, can be left out without the others changing,
 * and means nothing where the world gives no occasion for it. That is what lets a failing history be shortened.
 */

export const FIRST_DAY = '2026-01-01';
export const FIVE_YEARS = 1826;
const TENANTS = [0, 1, 2];

/** `on`: days since the first one. */
export type Event = { tenant: number; on: number } & (
  | TruthEvent
  | GraphFault
  | { kind: 'outage'; days: number }
  | { kind: 'off'; days: number }
  | { kind: 'twice' }
  | { kind: 'at once'; seed: number }
  /** The nth call of a port dies, or fails; `again`: how many retries the invocation gets afterwards. */
  | { kind: 'crash'; nth: number; when: Death; again: number }
  /** The nth call of this port dies, in the first attempt from this day on that makes as many. */
  | { kind: 'death'; recipe: Recipe; port: string; nth: number; when: Death }
  | { kind: 'throttled' | 'refused' | 'paused' | 'webhook down'; days: number }
  | { kind: 'webhook deleted'; days: number }
  | { kind: 'clock'; hours: number }
  | { kind: 'watch off' }
  | { kind: 'renewal crash'; nth: number; when: Death }
  | { kind: 'watch crash'; nth: number; when: Death; again: number }
  | { kind: 'digest off' }
  | { kind: 'digest crash'; nth: number; when: Death; again: number }
  | { kind: 'digest at once'; seed: number }
);

/** What Microsoft and the people of a tenant do. `pick` chooses a control, from 0 to 1. */
export type TruthEvent =
  | { kind: 'move'; pick: number; failing: number; afternoon: boolean }
  | { kind: 'drift'; pick: number; users: number }
  | { kind: 're-score'; pick: number; maximum: number }
  | { kind: 'add'; maximum: number; failing: number }
  | { kind: 'retire'; pick: number }
  | { kind: 'rename'; pick: number; prefix: number }
  | { kind: 'services' }
  | { kind: 'decide'; pick: number; delay: number; until: number; afternoon: boolean }
  /** A past day is given other scores. */
  | { kind: 'restate'; pick: number; back: number; failing: number }
  /** The latest of the past days that was restated is given its former scores again; `same`: by the very same answer. */
  | { kind: 'restate back'; back: number; same: boolean }
  /** A licence ends, and most controls go with it. */
  | { kind: 'licence'; days: number };

/** What Graph answers besides the truth. */
export type GraphFault =
  | { kind: 'silent'; days: number; backfill: boolean }
  | { kind: 'missing' }
  | { kind: 'late'; days: number }
  | { kind: 'half' | 'total'; days: number; corrected: boolean }
  | { kind: 'placeholder' | 'malformed' | 'partial' | 'empty' | 'future'; days: number }
  | { kind: 'half catalogue' | 'no catalogue'; days: number };

export interface History {
  seed: number;
  days: number;
  /** Indices of the tenants that are watched. */
  tenants: number[];
  events: Event[];
  /** Until this day the code of this release runs; null: that of today always did. */
  update: { on: number; release: string } | null;
}

/** A history of a seed. Rates are those of a busy tenant on a bad cloud: what would come in a decade comes in five years. */
export function historyOf(seed: number, days = FIVE_YEARS): History {
  const source = randomOf(`history ${seed}`);
  const random = () => source.next();
  const chance = (share: number) => random() < share;
  const between = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  const events: Event[] = [];
  for (const tenant of TENANTS) {
    const every = (interval: number, event: () => DistributiveOmit<Event, 'tenant' | 'on'>) => {
      for (let on = 1; on < FIVE_YEARS; on += 1)
        if (chance(1 / interval)) events.push({ tenant, on, ...event() });
    };
    every(9, () => ({
      kind: 'move',
      pick: random(),
      failing: between(0, 10) / 10,
      afternoon: chance(0.3),
    }));
    every(4, () => ({ kind: 'drift', pick: random(), users: between(-3, 3) }));
    every(60, () => ({ kind: 're-score', pick: random(), maximum: between(1, 15) }));
    every(50, () => ({ kind: 'add', maximum: between(1, 10), failing: between(0, 10) / 10 }));
    every(60, () => ({ kind: 'retire', pick: random() }));
    every(120, () => ({ kind: 'rename', pick: random(), prefix: between(10_000, 99_999) }));
    every(250, () => ({ kind: 'services' }));
    every(45, () => ({
      kind: 'decide',
      pick: random(),
      delay: between(1, 7),
      until: between(2, 90),
      afternoon: chance(0.3),
    }));
    every(30, () => ({ kind: 'restate', pick: random(), back: between(1, 6), failing: between(0, 10) / 10 }));
    every(6, () => ({ kind: 'restate back', back: between(3, 12), same: chance(0.7) }));
    every(900, () => ({ kind: 'licence', days: between(20, 60) }));

    every(500, () => ({ kind: 'silent', days: between(4, 40), backfill: chance(0.5) }));
    every(50, () => ({ kind: 'missing' }));
    every(50, () => ({ kind: 'late', days: between(1, 5) }));
    every(90, () => ({ kind: 'half', days: between(1, 2), corrected: chance(0.5) }));
    every(120, () => ({ kind: 'total', days: between(1, 2), corrected: chance(0.5) }));
    every(120, () => ({ kind: 'placeholder', days: between(1, 3) }));
    every(150, () => ({ kind: 'malformed', days: between(1, 2) }));
    every(60, () => ({ kind: 'partial', days: between(1, 2) }));
    every(300, () => ({ kind: 'empty', days: between(1, 3) }));
    every(300, () => ({ kind: 'future', days: between(1, 4) }));
    every(150, () => ({ kind: 'half catalogue', days: between(1, 12) }));
    every(300, () => ({ kind: 'no catalogue', days: between(1, 6) }));

    every(400, () => ({ kind: 'outage', days: chance(0.3) ? between(20, 80) : between(1, 8) }));
    every(90, () => ({ kind: 'off', days: between(1, 3) }));
    every(20, () => ({ kind: 'twice' }));
    every(40, () => ({ kind: 'at once', seed: between(1, 1e9) }));
    every(8, () => ({
      kind: 'crash',
      nth: between(1, 70),
      when: (['before', 'after', 'error'] as const)[between(0, 2)]!,
      again: between(0, 2),
    }));
    every(60, () => ({ kind: 'throttled', days: between(1, 3) }));
    every(300, () => ({ kind: 'refused', days: between(1, 2) }));
    every(400, () => ({ kind: 'paused', days: between(1, 9) }));
    every(150, () => ({ kind: 'webhook down', days: between(1, 10) }));
    every(900, () => ({ kind: 'webhook deleted', days: between(5, 200) }));
    every(400, () => ({ kind: 'clock', hours: between(-72, 72) }));
    if (tenant === 0) every(60, () => ({ kind: 'watch off' }));
  }
  events.push(...fleetEvents(seed), ...sureEvents(seed));
  const update = updateOf(seed, days);
  if (update) events.push(...updateEvents(seed, update.on));
  return cut({ seed, days, tenants: TENANTS, events, update }, days);
}

/** Five years have an update somewhere in the middle, and so have the shorter histories of odd seeds. */
function updateOf(seed: number, days: number): History['update'] {
  const source = randomOf(`update ${seed}`);
  const on = source.integer(Math.floor(days * 0.3), Math.floor(days * 0.7));
  const isUpdated = days >= FIVE_YEARS || seed % 2 === 1;
  return isUpdated ? { on, release: releases[source.integer(0, releases.length - 1)]! } : null;
}

/** The former code dies in the midst of its last runs, and the new one takes over what it was about. */
function updateEvents(seed: number, on: number): Event[] {
  const source = randomOf(`updated ${seed}`);
  const crash = (calls: number) => ({
    on,
    nth: source.integer(1, calls),
    when: 'after' as const,
    again: source.integer(0, 2),
  });
  return [
    ...TENANTS.map((tenant): Event => ({ tenant, kind: 'crash', ...crash(60) })),
    { tenant: 0, kind: 'digest crash', ...crash(20) },
  ];
}

/** What happens to the watch and to the digests, which belong to no tenant: an event of the first one. */
function fleetEvents(seed: number): Event[] {
  const source = randomOf(`fleet ${seed}`);
  const events: Event[] = [];
  const every = (interval: number, event: () => DistributiveOmit<Event, 'tenant' | 'on'>) => {
    for (let on = 1; on < FIVE_YEARS; on += 1)
      if (source.next() < 1 / interval) events.push({ tenant: 0, on, ...event() });
  };
  const crash = (calls: number) => ({
    nth: source.integer(1, calls),
    when: (['before', 'after'] as const)[source.integer(0, 1)]!,
    again: source.integer(0, 2),
  });
  every(10, () => ({ kind: 'watch crash', ...crash(25) }));
  every(8, () => ({ kind: 'digest crash', ...crash(20) }));
  every(20, () => ({ ...crash(20), kind: 'digest crash', when: 'error' }));
  // So often that most renewals, of which there is one in ten months, are interrupted.
  every(1.5, () => ({
    kind: 'renewal crash',
    nth: source.integer(1, 40),
    when: (['before', 'after'] as const)[source.integer(0, 1)]!,
  }));
  every(50, () => ({ kind: 'digest off' }));
  every(30, () => ({ kind: 'digest at once', seed: source.integer(1, 1e9) }));
  return events;
}

/** The ports that a recipe calls, with the number of calls among which one dies. */
const CALLS: Record<Recipe, Record<string, number>> = {
  run: {
    'certificate.read': 1,
    'graph.signIn': 1,
    'graph.secureScores': 1,
    'graph.controlProfiles': 1,
    'store.get': 8,
    'store.list': 4,
    'store.create': 3,
    'store.replace': 4,
    'channel.send': 2,
  },
  digest: {
    'schedules.list': 1,
    'store.get': 8,
    'store.list': 4,
    'store.create': 1,
    'store.replace': 4,
    'channel.send': 2,
  },
  watch: {
    'schedules.list': 1,
    'schedules.digests': 1,
    'store.get': 8,
    'store.list': 4,
    'store.create': 1,
    'store.replace': 2,
    'channel.send': 1,
    'mailer.send': 1,
  },
  renewal: {
    create: 1,
    'keys.signIn': 2,
    'keys.add': 2,
    'keys.remove': 2,
    'secret.look': 1,
    'secret.stage': 1,
    'secret.promote': 1,
    'secret.unstage': 1,
    'secret.forget': 1,
    'store.get': 4,
    'store.replace': 4,
  },
};
/** In so many days each port of each recipe has died, before its effect and after it. */
const ROUND_DAYS = 500;

/** What chance alone may leave out: a death of each recipe at each port, and the longest outages. */
function sureEvents(seed: number): Event[] {
  const source = randomOf(`sure ${seed}`);
  const events: Event[] = [];
  const once = (event: DistributiveOmit<Event, 'tenant' | 'on'>) =>
    events.push({ tenant: source.integer(0, 2), on: source.integer(30, FIVE_YEARS - 120), ...event });
  once({ kind: 'outage', days: 80 });
  for (let times = 0; times < 3; times += 1) once({ kind: 'outage', days: 1 });
  once({ kind: 'silent', days: 35, backfill: false });
  for (const recipe of ['run', 'digest', 'watch', 'renewal'] as const)
    for (const [port, calls] of Object.entries(CALLS[recipe]))
      for (const when of ['before', 'after'] as const)
        for (let from = 0; from < FIVE_YEARS; from += ROUND_DAYS) {
          // The first tenant stands for recipes of no tenant.
          const tenant = recipe === 'run' ? source.integer(0, 2) : 0;
          const on = from + source.integer(1, ROUND_DAYS);
          events.push({ tenant, on, kind: 'death', recipe, port, nth: source.integer(1, calls), when });
        }
  return events;
}

/** The history's first days. */
export function cut(history: History, days: number): History {
  const isIn = (event: Event) => event.on < days && (endOf(event) < days - QUIET_DAYS || isTruth(event));
  return { ...history, days, events: history.events.filter(isIn) };
}

/** Nothing fails in the last days, so that everything can come to its end. */
export const QUIET_DAYS = 10;

const endOf = (event: Event): number => event.on + ('days' in event ? event.days : 1);

function isTruth({ kind }: Event): boolean {
  return ['move', 'drift', 're-score', 'add', 'retire', 'rename', 'services'].includes(kind);
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
