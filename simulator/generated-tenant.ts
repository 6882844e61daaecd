import { createHash } from 'node:crypto';
import { catalogue } from './catalogue.ts';
import * as change from './changes.ts';
import { randomOf } from './random.ts';
import { baseState, TimelineTenant, type Timeline, type TimelineEvent } from './timeline.ts';

export interface GeneratedOptions {
  /** yyyy-mm-dd of day `day`. */
  today: string;
  /** 90 if absent, the number of days that Graph has. */
  day?: number;
  /** 411 if absent, the most that was measured in a real tenant. */
  controls?: number;
  /** By default it follows from the seed. */
  tenantId?: string;
}

/** The interval, in days, at which one recommendation comes and one goes. */
const TURNOVER = 30;

/** Recommendations in the profiles beyond those that apply, from which the new ones come. */
const SPARE = 12;

/**
 * A tenant of any size, drawn from a seed, so that many can run. It stores only its seed and the number of its day;
 * everything else is made again for every answer.
 */
export function generatedTenant(seed: string | number, options: GeneratedOptions): TimelineTenant {
  const name = `generated ${seed}`;
  const { today, day = 90, controls = 411, tenantId = guidOf(name) } = options;
  const tenant: TimelineTenant = new TimelineTenant({ tenantId, seed: name, today, day }, () =>
    timelineOf(name, controls, tenant.day),
  );
  return tenant;
}

function timelineOf(seed: string, size: number, until: number): Timeline {
  const entries = catalogue(size + SPARE);
  const present = entries.slice(0, size);
  const applies = new Set(present);
  const random = randomOf(seed);
  const base = baseState({
    seed,
    profiles: entries.length,
    applies: (entry) => applies.has(entry),
    services: [
      'HasAADP2',
      'HasEXOP2',
      'HasSPOP2',
      'HasMDOP2',
      'HasINTUNE',
      'HasATP',
      'HasMDEP2',
      'HasMCAS',
      'HasMDB',
      'HasDLP',
    ],
    users: random.integer(20, 4000),
    admins: random.integer(2, 12),
    devices: random.integer(20, 3000),
    done: 0.35 + random.next() * 0.4,
  });
  // The recommendations that go are at the end, so that those that move before are never among them.
  const steady = present.slice(0, size - SPARE);
  const events: TimelineEvent[] = [];
  for (let day = 2; day <= until; day += 1) {
    for (let count = Math.floor(random.next() * 3); count > 0; count -= 1) {
      const { id, category } = random.pick(steady);
      // Devices are synced in the afternoon: the snapshot of that morning is restated.
      const knownFrom = category === 'Device' ? day + 1 : day;
      events.push({ day, knownFrom, apply: change.turned(id, random.next() < 0.6) });
    }
    if (random.next() < 0.1) {
      const joining = random.integer(1, 5);
      events.push({ day, apply: change.joined(['users', 'mailboxes'], joining, random.integer(0, joining)) });
    }
    const turn = Math.floor(day / TURNOVER) - 1;
    const [comes, goes] = [entries[size + turn], present[size - 1 - turn]];
    if (day % TURNOVER === 0 && turn < SPARE && comes && goes) {
      events.push({ day, apply: change.all(change.added(comes, { on: false }), change.removed(goes.id)) });
      events.push({ day, apply: change.rescored(random.pick(steady).id, random.integer(1, 10)) });
    }
  }
  return { base, events };
}

function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
