import type { PracticeTenant } from '../../simulator/practice-tenant.ts';
import type { WireControlScore, WireProfile, WireSecureScore } from '../../simulator/wire.ts';

/** What Graph served on one day. */
export interface Served {
  day: number;
  /** Number of the newest snapshot's day. */
  newestDay: number;
  newest: WireSecureScore;
  dates: string[];
  profiles: Map<string, WireProfile>;
  /** Earlier days whose scores differ from those served before. */
  restated: string[];
}

/** Watches the tenant day by day, as somebody would who asks Graph once a day and remembers everything. */
export function watch(tenant: PracticeTenant, days: number): Served[] {
  const remembered = new Map<string, string>();
  const served: Served[] = [];
  for (let count = 0; count < days; count += 1) {
    const reading = tenant.read();
    const restated: string[] = [];
    for (const date of reading.dates.slice(0, 8)) {
      const entry = reading.secureScore(date, false);
      const scores = JSON.stringify(
        entry.controlScores.map(({ controlName, score }) => [controlName, score]),
      );
      const before = remembered.get(date);
      if (before !== undefined && before !== scores) restated.push(date);
      remembered.set(date, scores);
    }
    const [newestDate = ''] = reading.dates;
    served.push({
      day: tenant.day,
      newestDay: tenant.dayOf(newestDate),
      newest: reading.secureScore(newestDate, true),
      dates: reading.dates,
      profiles: new Map(reading.profiles().map((profile) => [profile.id, profile])),
      restated,
    });
    tenant.advance(1);
  }
  return served;
}

/**
 * What differs between two days, as `kind control`, by the rules of the design's table "What a change is".
 * Written apart from the product, which is tested with the same tenant.
 */
export function changesBetween(before: Served, after: Served): Set<string> {
  const old = byName(before.newest);
  const young = byName(after.newest);
  const changes = new Set<string>();
  const removed = [...old.keys()].filter((name) => !young.has(name));
  const added = [...young.keys()].filter((name) => !old.has(name));
  const renames = added
    .filter((name) => /^\d+\./.test(name) && removed.includes(name.replace(/^\d+\./, '')))
    .map((name) => [name.replace(/^\d+\./, ''), name] as const);
  for (const [, to] of renames) changes.add(`renamed ${to}`);
  for (const name of added) if (!renames.some(([, to]) => to === name)) changes.add(`new ${name}`);
  for (const name of removed) if (!renames.some(([from]) => from === name)) changes.add(`removed ${name}`);
  for (const [name, control] of young) {
    const previous = old.get(name);
    if (!previous) continue;
    const maximum = after.profiles.get(name)?.maxScore ?? 0;
    if (maximum !== before.profiles.get(name)?.maxScore) changes.add(`re-scored ${name}`);
    else {
      const kind = scoreChange(previous, control, maximum);
      if (kind) changes.add(`${kind} ${name}`);
    }
    if (previous.state !== control.state) changes.add(`decided ${name}`);
    if (previous.controlCategory !== control.controlCategory) changes.add(`category ${name}`);
  }
  for (const [id, profile] of after.profiles) {
    const updates = before.profiles.get(id)?.controlStateUpdates.length;
    if (updates !== undefined && updates !== profile.controlStateUpdates.length) changes.add(`decided ${id}`);
  }
  if (String(before.newest.enabledServices) !== String(after.newest.enabledServices)) changes.add('services');
  for (const date of after.restated) changes.add(`restated ${date}`);
  return changes;
}

function scoreChange(before: WireControlScore, after: WireControlScore, maximum: number): string | null {
  const moved = after.score - before.score;
  if (Math.abs(moved) <= 0.005) return null;
  const [total, former] = [Number(after.total), Number(before.total)];
  const failing = total * (1 - after.score / maximum) - former * (1 - before.score / maximum);
  const few = Math.min(0.01 * Math.min(total, former), 3) + (0.005 * (total + former)) / maximum;
  if (total !== former && failing <= few && (moved < 0 || failing >= -few)) return 'drift';
  return moved < 0 ? 'lost' : 'gained';
}

export const isSuspect = (before: Served, after: Served): boolean => {
  const young = byName(after.newest);
  const lastReported = before.newest.controlScores;
  return lastReported.filter(({ controlName }) => !young.has(controlName)).length > lastReported.length / 2;
};

const byName = (entry: WireSecureScore): Map<string, WireControlScore> =>
  new Map(entry.controlScores.map((control) => [control.controlName, control]));
