import { addDays } from '../lambda/dates.ts';
import { diff, type Difference } from '../lambda/score/diff.ts';
import { allowedInAll } from '../lambda/score/drift.ts';
import { openAccount, settleDay, type Settling } from '../lambda/score/settle.ts';
import type { Control, Profile, Snapshot } from '../lambda/score/snapshot.ts';
import { randomOf } from '../simulator/random.ts';

/**
 * Compares rules that distinguish drift from a loss, on generated tenants of several sizes: the days of a year with a mail,
 * and the losses that no mail reported, by the first rule (whatever the change of `total` could explain at most is drift), by
 * the design's, and by ours. The same years for each.
 *
 *     npm run bench:drift
 */

/** A control that counts people or devices. Rates are per day, and relative to those whom they can affect. */
interface Counting {
  name: string;
  maximum: number;
  of: (users: number) => number;
  /** The shares that fail, of those at the start and of those who come. */
  failing: number;
  newcomersFailing: number;
  /** The rates of coming and going. People go permanently; devices also sleep for weeks. */
  comes: number;
  goes: number;
  /** The rates at which those who fail are protected, and those who are protected fail. */
  mended: number;
  broken: number;
}

const PEOPLE = { of: (users: number) => users, comes: 0.15 / 250, goes: 0.15 / 250 };
const DEVICES = { of: (users: number) => Math.ceil(users * 0.9), comes: 0.002, goes: 0.002 };
const ADMINS = {
  of: (users: number) => Math.max(1, Math.ceil(2 + users * 0.003)),
  comes: 0.0008,
  goes: 0.0008,
};

const CONTROLS: Counting[] = [
  { name: 'mfa', maximum: 9, ...PEOPLE, failing: 0.08, newcomersFailing: 0.4, mended: 0.01, broken: 0.0002 },
  { name: 'sspr', maximum: 1, ...PEOPLE, failing: 0.3, newcomersFailing: 0.6, mended: 0.002, broken: 0.0001 },
  { name: 'old-protocols', maximum: 8, ...PEOPLE, failing: 0, newcomersFailing: 0, mended: 0, broken: 0 },
  { name: 'admin-mfa', maximum: 10, ...ADMINS, failing: 0, newcomersFailing: 0.1, mended: 0.1, broken: 0 },
  {
    name: 'firewall',
    maximum: 8,
    ...DEVICES,
    failing: 0.1,
    newcomersFailing: 0.1,
    mended: 0.001,
    broken: 0.0001,
  },
  {
    name: 'patched',
    maximum: 9,
    ...DEVICES,
    failing: 0.3,
    newcomersFailing: 0.3,
    mended: 0.004,
    broken: 0.0015,
  },
  {
    name: 'encrypted',
    maximum: 5,
    ...DEVICES,
    failing: 0.02,
    newcomersFailing: 0.05,
    mended: 0.01,
    broken: 0,
  },
];

const DAYS = 365;

/** What is done to a control for the monitor to find. */
interface Loss {
  kind: 'switched off' | 'newcomers' | 'leak';
  control: string;
  day: number;
  /** The last day on which a report is in time. */
  until: number;
}

/**
 * Draws from a Poisson distribution, because small tenants have few people and devices; above a mean of 50 a normal
 * distribution approximates it.
 */
function drawOf(chance: () => number) {
  return (mean: number, most: number): number => {
    if (mean <= 0) return 0;
    if (mean > 50) {
      const normal = Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
      return Math.min(most, Math.max(0, Math.round(mean + Math.sqrt(mean) * normal)));
    }
    let [number, product] = [0, chance()];
    while (product > Math.exp(-mean)) [number, product] = [number + 1, product * chance()];
    return Math.min(most, number);
  };
}

/**
 * A year of snapshots, drawn day by day and control by control, with the losses put into it, and the controls that
 * nothing touched on each day.
 */
function year(users: number, seed: string, withLosses: boolean) {
  const numbers = randomOf(seed);
  const chance = () => numbers.next();
  const draw = drawOf(chance);
  const state = new Map(
    CONTROLS.map((one) => {
      const total = one.of(users);
      return [one.name, { total, failing: draw(total * one.failing, total) }];
    }),
  );
  const losses: Loss[] = withLosses
    ? [
        { kind: 'switched off', control: 'admin-mfa', day: 60, until: 60 },
        { kind: 'switched off', control: 'old-protocols', day: 90, until: 90 },
        { kind: 'newcomers', control: 'encrypted', day: 120, until: 120 },
        { kind: 'leak', control: 'mfa', day: 150, until: 300 },
        { kind: 'leak', control: 'firewall', day: 150, until: 300 },
      ]
    : [];
  const days: Snapshot[] = [];
  const bystanders: Set<string>[] = [];
  for (let day = 0; day < DAYS; day += 1) {
    const business = day % 7 < 5 ? 7 / 5 : 0;
    const untouched = new Set<string>();
    bystanders.push(untouched);
    for (const one of CONTROLS) {
      const now = state.get(one.name)!;
      const devices = one.comes > 0.001;
      const rate = devices ? 1 : business;
      const gone = draw(now.total * one.goes * rate, Math.max(0, now.total - 1));
      const goneFailing = Math.min(
        now.failing,
        Math.max(draw((gone * now.failing) / now.total, gone), gone - now.total + now.failing),
      );
      // A tenant neither dies out nor explodes.
      const come = draw(one.of(users) * one.comes * rate, one.of(users));
      const comeFailing = draw(come * one.newcomersFailing, come);
      now.total += come - gone;
      now.failing += comeFailing - goneFailing;
      const mended = draw(now.failing * one.mended * rate, now.failing);
      const broken = draw((now.total - now.failing) * one.broken * rate, now.total - now.failing);
      now.failing += broken - mended;
      if (comeFailing + goneFailing + broken + mended === 0) untouched.add(one.name);

      for (const loss of losses) {
        if (loss.control !== one.name) continue;
        const protectedOnes = now.total - now.failing;
        if (loss.kind === 'switched off' && loss.day === day) {
          now.total += 1 + Math.floor(now.total / 50);
          now.failing = now.total;
        } else if (loss.kind === 'switched off' && day === loss.day + 20) now.failing = 0;
        else if (loss.kind === 'newcomers' && loss.day === day) {
          const batch = Math.ceil(now.total / 20);
          now.total += batch;
          now.failing += batch;
        } else if (loss.kind === 'leak' && day >= loss.day && day <= loss.until) {
          // A tenth of all leak within five months, and the total rises with most of them.
          const leaks = draw(now.total / 1500, protectedOnes);
          now.failing += leaks;
          if (leaks > 0 && chance() < 0.7) now.total += 1;
        }
      }
    }
    days.push(snapshotOf(day, state));
  }
  return { days, losses, bystanders };
}

function snapshotOf(day: number, state: Map<string, { total: number; failing: number }>): Snapshot {
  const controls = new Map<string, Control>();
  for (const { name, maximum, comes } of CONTROLS) {
    const { total, failing } = state.get(name)!;
    const points = Math.round(100 * maximum * (1 - failing / total)) / 100;
    controls.set(name, {
      name,
      category: 'Identity',
      points,
      percentage: Math.round((10_000 * points) / maximum) / 100,
      complete: true,
      status: null,
      lastSynced: null,
      state: null,
      total,
      // The count of a device control is the number of exposed devices.
      count: comes > 0.001 ? failing : total - failing,
    });
  }
  return {
    date: addDays('2026-01-01', day),
    points: [...controls.values()].reduce((sum, { points }) => sum + points, 0),
    maximum: 50,
    enabledServices: [],
    controls,
    peers: { allTenants: null, similarSize: null },
  };
}

const PROFILES = new Map(
  CONTROLS.map(({ name, maximum }) => [name, { id: name, title: name, maximum, decision: null } as Profile]),
);
const BOTH = { before: PROFILES, after: PROFILES };

/** The number of those who fail a control, whether its count is of them or of the others. */
function failingOf(snapshot: Snapshot, control: string): number {
  const { count, total } = snapshot.controls.get(control)!;
  return CONTROLS.find(({ name }) => name === control)!.comes > 0.001 ? count! : total! - count!;
}

/** Makes a comparison that is given the days in order and returns the controls that a rule reports on each. */
type Rule = () => (before: Snapshot, after: Snapshot) => { control: string; kind: string }[];

const first: Rule = () => (before, after) =>
  diff(before, after, BOTH).flatMap(({ change, before: b, after: a }) => {
    const [old, now] = [b!.total!, a!.total!];
    const most = (change.maximum.after! * Math.abs(now - old)) / Math.min(now, old);
    const moved = change.points.after! - change.points.before!;
    if (now !== old && Math.abs(moved) <= most + 1e-9) return [];
    return [{ control: change.control!, kind: moved < 0 ? 'lost' : 'gained' }];
  });

const design: Rule = () => {
  const sums = new Map<string, { points: number; failing: number }>();
  return (before, after) =>
    diff(before, after, BOTH).flatMap(({ change, before: b, after: a }) => {
      const maximum = change.maximum.after!;
      const control = change.control!;
      const [old, total] = [b!.total!, a!.total!];
      const points = change.points.after! - change.points.before!;
      const failing =
        total * (1 - change.points.after! / maximum) - old * (1 - change.points.before! / maximum);
      const rounding = Math.max(0.5, (total * 0.01) / maximum);
      const drift =
        old !== total &&
        ((points < 0 ? failing <= rounding : failing >= -rounding) ||
          (Math.abs(points) <= 0.01 * maximum && Math.abs(failing) <= Math.max(3, 0.001 * total)));
      if (!drift) {
        sums.delete(control);
        return [{ control, kind: points < 0 ? 'lost' : 'gained' }];
      }
      const sum = sums.get(control) ?? { points: 0, failing: 0 };
      sum.points += points;
      sum.failing += failing;
      sums.set(control, sum);
      const much =
        Math.abs(sum.points) > 0.02 * maximum || Math.abs(sum.failing) > Math.max(10, 0.005 * total);
      if (!much) return [];
      sums.delete(control);
      return [{ control, kind: sum.points < 0 ? 'lost' : 'gained' }];
    });
};

const oursWith =
  (change: (row: Difference) => Difference): Rule =>
  () => {
    let settling: Settling = { waiting: [], told: [], sums: [], account: openAccount(null) };
    return (before, after) => {
      const rows = diff(before, after, BOTH).map(change);
      const settled = settleDay(
        settling,
        rows.map((row) => ({ ...row.change, previousControl: null, failing: row.failing ?? null })),
        { date: after.date, unexplained: 0 },
        { confirmDrops: 0, minimumPoints: 0 },
      );
      settling = settled.settling;
      return settled.changes.flatMap((one) =>
        one.fate === 'told' ? [{ control: one.change.control!, kind: one.change.kind }] : [],
      );
    };
  };

const RULES: Record<string, Rule> = {
  first,
  design,
  ours: oursWith((row) => row),
};

const SEEDS = 20;
console.log(
  'users   rule     mails a year (lost, gained)  needless   hidden of the losses: switched off, newcomers, leak',
);
for (const users of [1, 10, 300, 20_000]) {
  for (const [name, rule] of Object.entries(RULES)) {
    let [mails, lost, gained, needless] = [0, 0, 0, 0];
    const hidden = { 'switched off': [0, 0], newcomers: [0, 0], leak: [0, 0] };
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const quiet = year(users, `drift-${users}-${seed}`, false);
      let report = rule();
      for (let day = 1; day < DAYS; day += 1) {
        const found = report(quiet.days[day - 1]!, quiet.days[day]!);
        mails += found.length > 0 ? 1 : 0;
        lost += found.filter(({ kind }) => kind === 'lost').length;
        needless += found.filter(({ control }) => quiet.bystanders[day]!.has(control)).length;
        gained += found.filter(({ kind }) => kind === 'gained').length;
      }
      const { days, losses } = year(users, `drift-${users}-${seed}`, true);
      report = rule();
      const found = days.map((after, day) => (day === 0 ? [] : report(days[day - 1]!, after)));
      for (const { kind, control, day, until } of losses) {
        const [before, after] = [days[day - 1]!, days[until]!];
        const fewest = Math.min(...days.slice(day - 1, until).map((one) => failingOf(one, control)));
        const more = failingOf(after, control) - fewest;
        const fell = after.controls.get(control)!.points < before.controls.get(control)!.points;
        if (!fell || more <= allowedInAll(after.controls.get(control)!.total!)) continue;
        const of = hidden[kind];
        of[1]! += 1;
        const reported = found
          .slice(day, until + 1)
          .some((rows) => rows.some((row) => row.control === control && row.kind === 'lost'));
        if (!reported) of[0]! += 1;
      }
    }
    const average = (number: number) => (number / SEEDS).toFixed(1);
    const shown = Object.values(hidden).map(([missed, all]) => `${missed} of ${all}`);
    console.log(
      `${String(users).padStart(6)}  ${name.padEnd(8)} ${average(mails).padStart(6)} (${average(lost)}, ${average(gained)})`.padEnd(
        40,
      ),
      average(needless).padEnd(8),
      shown.join(', '),
    );
  }
}
