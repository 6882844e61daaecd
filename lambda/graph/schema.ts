import * as z from '../zod.ts';
import { describeIssues } from '../describe-issues.ts';
import { MonitorError, quote } from '../errors.ts';
import { impossible, isFromTheFuture } from '../score/plausibility.ts';
import {
  EPSILON,
  type Control,
  type Decision,
  type Profile,
  type Profiles,
  type Snapshot,
} from '../score/snapshot.ts';

/**
 * Graph's answers, checked and translated into the terms of the field. The shapes are those of
 * https://learn.microsoft.com/graph/api/resources/securescore and …/securescorecontrolprofile, loosened to what has been
 * seen: numbers come as strings, keys come and go, and only the newest entry carries its texts.
 * What is believed of each field is listed in score/plausibility.ts.
 */

/** One entry of an answer that may be archived and compared. */
export interface Day {
  /** yyyy-mm-dd (UTC): the identity of the day within a tenant. */
  date: string;
  /** The greatest date of its answer: the only entry that Graph sends with texts, syncs and counts. */
  newest: boolean;
  /** The entry as Graph sent it, untouched, unknown keys and all: this is what is archived. */
  raw: unknown;
  snapshot: Snapshot;
  /**
   * Points of all controls minus the total that Graph states; 0 where they agree within the score's own rounding, or
   * where some of them cannot be read.
   */
  difference: number;
}

/** An entry, or a profile, that was left out. */
export interface Skipped {
  /** For people: its place in the answer (from 0), and its id if it has one. */
  entry: string;
  /** yyyy-mm-dd; null where it has none that can be read. */
  date: string | null;
  /** What is wrong with it. */
  reason: string;
}

/** A hundred, and the rounding of two decimals. */
const MOST_PERCENT = 100.01;

const AMOUNT = /^\s*\d+(\.\d+)?\s*$/;

/** Non-negative and finite; one user reported scores as strings. */
const EXPECTED_AMOUNT = 'expected a number of 0 or more';
const amount = z.union(
  [
    z.number().check(z.minimum(0, EXPECTED_AMOUNT)),
    z.pipe(z.pipe(z.string().check(z.regex(AMOUNT)), z.transform(Number)), z.number()),
  ],
  { error: EXPECTED_AMOUNT },
);
/** Optional for a run: a value that cannot be read is unknown, and fails nothing. */
const optionalAmount = z.withFallback(z.nullish(amount), null);
const optionalText = z.withFallback(z.nullish(z.string()), null);

/**
 * The lists of an answer are long (411 controls a day, 90 days), and a schema for each item costs a cold process more
 * than the rest of a run. Items are therefore read by hand, below, by the same rules; the schemas check single values.
 */
const secureScore = z.looseObject({
  currentScore: amount,
  maxScore: amount,
  enabledServices: z.withFallback(z.nullish(z.array(z.string())), null),
  averageComparativeScores: z.withFallback(
    z.nullish(z.array(z.looseObject({ basis: optionalText, averageScore: optionalAmount }))),
    null,
  ),
  controlScores: z.array(z.unknown(), 'expected a list of controls'),
});

/** Says what is wrong with a list that could not be read. */
const controlList = z.looseObject({
  controlScores: z.array(
    z.looseObject({ controlName: z.string().check(z.minLength(1, 'expected a name')), score: amount }),
  ),
});
const profileWithId = z.looseObject({ id: z.string().check(z.minLength(1, 'expected an id')) });

/** What is wrong with an entry; not an error yet, because an older entry is only skipped. */
interface Fault {
  code: 'foreign-entry' | 'malformed-entry' | 'partial-entry';
  reason: string;
  /** Every field can be read, but together they cannot be true. */
  implausible?: true;
}

/**
 * Sorts and checks one answer of `secureScores`.
 * @param answer.entries in any order
 * @param answer.tenantId of the configured tenant, in any case
 * @param answer.now if given, an entry from its future is malformed, and never the newest, because it would make every
 *   following day look old
 * @returns the days by date, ascending, one per date, and what was left out
 * @throws MonitorError `no-score-yet`; `foreign-entry`, `malformed-entry`, `partial-entry` where the newest entry is
 *   one. Retryable, because Microsoft corrects its answers without being asked.
 */
export function readAnswer(answer: { entries: readonly unknown[]; tenantId: string; now?: Date }): {
  days: Day[];
  skipped: Skipped[];
} {
  const { entries, tenantId, now } = answer;
  if (entries.length === 0) {
    throw new MonitorError(
      'no-score-yet',
      `This tenant (${tenantId}) has no Secure Score yet: Graph answered with an empty list.`,
      'Microsoft computes the first score within a day or two of the first licence with security features. If the tenant shows a score in Microsoft Defender, check the tenant id.',
      { retryable: true },
    );
  }

  const dates = entries.map(dateOfEntry);
  const isFuture = (date: string) => now !== undefined && isFromTheFuture(date, now.toISOString());
  // If all are from the future, the clock or Graph is wrong, and the newest is one of them.
  const past = dates.filter((date) => date !== null && !isFuture(date));
  const greatest = (past.length > 0 ? past : dates).reduce(
    (a, b) => (b !== null && (a === null || b > a) ? b : a),
    null,
  );
  const days = new Map<string, Day>();
  const skipped: Skipped[] = [];
  const faultsOfNewest: Fault[] = [];

  for (const [index, raw] of entries.entries()) {
    const date = dates[index] ?? null;
    // Graph sends the newest entry first, so a first entry without a day counts as the newest.
    const newest = date === null ? index === 0 : date === greatest;
    const skip = (reason: string) => skipped.push({ entry: nameOf(raw, index), date, reason });
    const result =
      date !== null && isFuture(date)
        ? malformed(`its day ${date} lies in the future (it is ${now?.toISOString().slice(0, 10)})`)
        : read(raw, tenantId, newest);

    if ('reason' in result) {
      if (newest) faultsOfNewest.push({ ...result, reason: `${nameOf(raw, index)}: ${result.reason}` });
      skip(result.reason);
    } else if (days.has(result.snapshot.date)) {
      skip(`${result.snapshot.date} is in the answer twice; the first complete one counts`);
    } else {
      days.set(result.snapshot.date, { date: result.snapshot.date, newest, raw, ...result });
    }
  }

  const fault = faultsOfNewest[0];
  if (fault && (dates[0] === null || greatest === null || !days.has(greatest))) throw refusal(fault);
  return { days: [...days.values()].toSorted((a, b) => (a.date < b.date ? -1 : 1)), skipped };
}

/**
 * Reads an archived entry again, by the same rules except for the tenant, which is in the archive's key.
 * @param newest whether it was archived while it was the newest day; only then do its texts count
 * @param code of the error, because the caller knows where the entry came from
 * @throws MonitorError if it is not a complete entry; `archive-implausible` if it cannot be true and an earlier version
 *   accepted it
 */
export function snapshotOf(raw: unknown, newest = true, code = 'archive-damaged'): Snapshot {
  const result = read(raw, null, newest);
  if (!('reason' in result)) return result.snapshot;
  throw new MonitorError(
    result.implausible ? 'archive-implausible' : code,
    `${nameOf(raw)} cannot be read again: ${result.reason}.`,
    'An archived snapshot never changes by itself: restore the object from a backup, or from an earlier version of the bucket.',
  );
}

/**
 * Reads the catalogue. Nothing in it fails a run: a value that cannot be read is null, and a profile without id is skipped.
 * @param entries all pages, in any order; of two with the same id the first counts
 */
export function readProfiles(entries: readonly unknown[]): {
  profiles: Map<string, Profile>;
  skipped: Skipped[];
} {
  const profiles = new Map<string, Profile>();
  const skipped: Skipped[] = [];
  for (const [index, raw] of entries.entries()) {
    const profile = profileOf(raw);
    const skip = (reason: string) => skipped.push({ entry: nameOf(raw, index), date: null, reason });
    if (!profile) skip(describe(profileWithId.safeParse(raw).error, raw));
    else if (profiles.has(profile.id)) skip('its id is in the answer twice; the first one counts');
    else profiles.set(profile.id, profile);
  }
  return { profiles, skipped };
}

/** A catalogue as Graph sent it, and as it was read. */
export interface Catalogue {
  profiles: Profiles;
  raw: readonly unknown[];
  /** Built when it is first needed. */
  rawById?: Map<string, unknown>;
}

/** The catalogue with the decisions that were in force on a day, by the dates of the decisions. */
export function profilesAsOf(catalogue: Catalogue, date: string): Profiles {
  const { profiles, raw } = catalogue;
  const later = [...profiles.values()].filter(({ decision }) => (decision?.at ?? '').slice(0, 10) > date);
  if (later.length === 0) return profiles;
  const before = new Map(profiles);
  // Of two with the same id the first counts, as everywhere: it is put in last.
  catalogue.rawById ??= new Map(raw.toReversed().map((entry) => [profileOf(entry)?.id ?? '', entry]));
  for (const profile of later) {
    before.set(profile.id, profileOf(catalogue.rawById.get(profile.id), date) ?? profile);
  }
  return before;
}

/** The day of an entry by its id or else by its createdDateTime; null if neither has one. Checks nothing else. */
export function dateOfEntry(entry: unknown): string | null {
  const { id, createdDateTime } = fieldsOf(entry);
  return dayIn(id, /_(\d{4}-\d{2}-\d{2})$/) ?? dayIn(createdDateTime, /^(\d{4}-\d{2}-\d{2})T/);
}

/** @param tenantId null: any */
function read(
  raw: unknown,
  tenantId: string | null,
  newest: boolean,
): Fault | Pick<Day, 'snapshot' | 'difference'> {
  const identity = identify(raw, tenantId);
  if (typeof identity !== 'string') return identity;

  const { controlScores } = fieldsOf(raw);
  if (controlScores === undefined || controlScores === null) {
    return { code: 'partial-entry', reason: 'it has no controlScores' };
  }
  const parsed = secureScore.safeParse(raw);
  if (!parsed.success) return malformed(describe(parsed.error, raw));
  const { currentScore, maxScore, enabledServices } = parsed.data;
  const never = impossible({ points: currentScore, maximum: maxScore });
  if (never !== null) return { ...malformed(never), implausible: true };
  if (parsed.data.controlScores.length === 0 && currentScore > 0) {
    return {
      code: 'partial-entry',
      reason: `its controlScores are empty though its currentScore is ${currentScore}`,
    };
  }

  const controls = new Map<string, Control>();
  const unreadable = new Set<string>();
  let readable = 0;
  let sum = 0;
  for (const score of parsed.data.controlScores) {
    const control = controlOf(score, newest);
    if (control) {
      readable += 1;
      sum += control.points;
      const twin = controls.get(control.name);
      controls.set(control.name, twin ? merge(twin, control) : control);
      continue;
    }
    // Without a name it is unknown which control is missing.
    const name = textOf(fieldsOf(score)['controlName']);
    if (!name) return malformed(describe(controlList.safeParse(raw).error, raw));
    unreadable.add(name);
  }
  // Without most of them there is nothing to compare.
  if (unreadable.size > 0 && readable <= parsed.data.controlScores.length / 2) {
    return malformed(describe(controlList.safeParse(raw).error, raw));
  }
  for (const name of unreadable) controls.delete(name);
  const difference = unreadable.size > 0 ? 0 : sum - currentScore;
  return {
    snapshot: {
      date: identity,
      points: currentScore,
      maximum: maxScore,
      enabledServices: enabledServices?.length ? enabledServices.toSorted() : null,
      controls,
      ...(unreadable.size > 0 ? { unreadable: [...unreadable].toSorted() } : {}),
      peers: {
        allTenants: average(parsed.data, 'AllTenants'),
        similarSize: average(parsed.data, 'TotalSeats'),
      },
    },
    // Graph states totals with two decimals, so a difference below half of the last one is rounding.
    difference: Math.abs(difference) <= EPSILON ? 0 : difference,
  };
}

/** Checks the tenant and the day of an entry. @returns the date yyyy-mm-dd, or what is wrong */
function identify(raw: unknown, tenantId: string | null): string | Fault {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return malformed(`it is not an object but ${quote(raw)}`);
  }
  const { id, azureTenantId, createdDateTime } = fieldsOf(raw);
  if (tenantId !== null && String(azureTenantId).toLowerCase() !== tenantId.toLowerCase()) {
    return {
      code: azureTenantId === undefined || azureTenantId === null ? 'malformed-entry' : 'foreign-entry',
      reason: `its azureTenantId is ${quote(azureTenantId)}, not the configured tenant ${quote(tenantId)}`,
    };
  }
  const date = dayIn(id, /^[^_]+_(\d{4}-\d{2}-\d{2})$/);
  if (date === null) return malformed(`its id is ${quote(id)}, not <tenant id>_<yyyy-MM-dd>`);
  const owner = String(id).slice(0, -date.length - 1);
  if (tenantId !== null && owner.toLowerCase() !== tenantId.toLowerCase()) {
    return {
      code: 'foreign-entry',
      reason: `its id ${quote(id)} has another tenant than the configured ${quote(tenantId)}`,
    };
  }
  if (dayIn(createdDateTime, /^(\d{4}-\d{2}-\d{2})T/) !== date) {
    return malformed(
      `its createdDateTime ${quote(createdDateTime)} is of another day than its id says (${date})`,
    );
  }
  return date;
}

/** Null if it has no name, or no score that can be read. */
function controlOf(raw: unknown, newest: boolean): Control | null {
  const score = fieldsOf(raw);
  const name = textOf(score['controlName']);
  const points = amountOf(score['score']);
  if (!name || points === null) return null;
  const lastSynced = timeOf(score['lastSynced']);
  // The texts of an older entry are degraded ("0 of 5 users" became "0 of 0 users"): compared with those of the newest
  // day they would show changes that never happened. So they are dropped here.
  const complete = newest && (textOf(score['lastSynced']) !== null || textOf(score['description']) !== null);
  const percentage = amountOf(score['scoreInPercentage']);
  const counts = countsOf(score);
  return {
    name,
    category: textOf(score['controlCategory']) ?? '',
    points,
    percentage: percentage !== null && percentage <= MOST_PERCENT ? percentage : null,
    complete,
    status: complete ? textOf(score['implementationStatus']) : null,
    lastSynced: complete ? lastSynced : null,
    count: complete ? counts.count : null,
    total: complete ? counts.total : null,
    state: complete ? textOf(score['state']) : null,
  };
}

/** A moment; null for .NET's value of an unset one. */
function timeOf(value: unknown): string | null {
  const text = textOf(value);
  return text?.startsWith('0001-01-01') ? null : text;
}

/** Two integers, the first at most the second; otherwise neither is known. */
function countsOf(score: Record<string, unknown>): { count: number | null; total: number | null } {
  const count = amountOf(score['count']);
  const total = amountOf(score['total']);
  const isWhole = (value: number | null) => value === null || Number.isSafeInteger(value);
  const plausible = isWhole(count) && isWhole(total) && (count === null || total === null || count <= total);
  return plausible ? { count, total } : { count: null, total: null };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** By the rule of `amount`: a non-negative finite number, or a text with one. */
function amountOf(value: unknown): number | null {
  if (typeof value === 'number') return value >= 0 && value < Number.POSITIVE_INFINITY ? value : null;
  const number = typeof value === 'string' && AMOUNT.test(value) ? Number(value) : null;
  return number !== null && number < Number.POSITIVE_INFINITY ? number : null;
}

/**
 * Merges two controls with the same name, which has never been seen yet. Their points are summed, so that the controls
 * still add up to the total; the percentage and counts of the sum are unknown.
 */
function merge(first: Control, second: Control): Control {
  return {
    ...first,
    points: first.points + second.points,
    complete: first.complete && second.complete,
    percentage: null,
    count: null,
    total: null,
    state: first.state === second.state ? first.state : null,
  };
}

/** An average of other tenants, in per cent; -1, which was seen in an outage, is no amount and becomes null. */
function average(score: z.output<typeof secureScore>, basis: string): number | null {
  const value = score.averageComparativeScores?.find((one) => one.basis === basis)?.averageScore ?? null;
  return value !== null && value <= MOST_PERCENT ? value : null;
}

/** The state in force is the one updated last. A Default that was never set is no decision. */
function decisionOf(raw: unknown, until: string | null): Decision | null {
  const updates = (Array.isArray(raw) ? raw : [])
    .map(fieldsOf)
    .filter((update) => until === null || !((timeOf(update['updatedDateTime']) ?? '').slice(0, 10) > until))
    .map((update) => ({
      state: textOf(update['state']),
      by: textOf(update['updatedBy']),
      at: timeOf(update['updatedDateTime']),
      comment: textOf(update['comment']),
    }))
    .toSorted((a, b) => (Date.parse(a.at ?? '') || 0) - (Date.parse(b.at ?? '') || 0));
  const last = updates.at(-1);
  if (!last?.state || (last.state.toLowerCase() === 'default' && !last.at)) return null;
  return { ...last, state: last.state, previousState: updates.at(-2)?.state ?? null };
}

/**
 * One entry of the catalogue; null where it has no id.
 * @param until yyyy-mm-dd: with the decision in force on that day, whatever was decided since; null: the last one
 */
function profileOf(raw: unknown, until: string | null = null): Profile | null {
  const profile = fieldsOf(raw);
  const id = textOf(profile['id']);
  if (!id) return null;
  const text = (key: string) => textOf(profile[key]);
  return {
    id,
    title: text('title')?.trim() || id,
    // A maximum of 0 means unknown, which is always null here.
    maximum: amountOf(profile['maxScore']) || null,
    category: text('controlCategory'),
    service: text('service'),
    tier: text('tier'),
    remediation: text('remediation'),
    remediationImpact: text('remediationImpact'),
    // Some start with a space.
    actionUrl: text('actionUrl')?.trim() ?? null,
    implementationCost: text('implementationCost'),
    userImpact: text('userImpact'),
    decision: decisionOf(profile['controlStateUpdates'], until),
  };
}

function refusal(fault: Fault): MonitorError {
  const what = { 'foreign-entry': 'foreign', 'malformed-entry': 'malformed', 'partial-entry': 'partial' }[
    fault.code
  ];
  return new MonitorError(
    fault.code,
    `Graph's newest entry of secureScores is ${what}. ${fault.reason}. Nothing was archived, compared or mailed.`,
    'Microsoft usually corrects this within a day, and the next run fetches what was missed. If it lasts, open a support request with Microsoft that quotes this message.',
    { retryable: true },
  );
}

function malformed(reason: string): Fault {
  return { code: 'malformed-entry', reason };
}

/** For people: `entry 3 ("<id>")`. */
function nameOf(raw: unknown, index?: number): string {
  const { id } = fieldsOf(raw);
  const place = index === undefined ? 'entry' : `entry ${index}`;
  return typeof id === 'string' ? `${place} (${quote(id)})` : place;
}

/** The first three issues in one line, which are enough to describe an entry of 400 broken controls. */
function describe(error: z.ZodError | undefined, input: unknown): string {
  return describeIssues({ issues: error?.issues.slice(0, 3) ?? [] }, input, 'the entry')
    .trim()
    .replace(/\n\s*/g, '; ');
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The day that the pattern finds in a text; null if there is none, or no valid date. */
function dayIn(text: unknown, pattern: RegExp): string | null {
  const day = typeof text === 'string' ? pattern.exec(text)?.[1] : undefined;
  if (day === undefined) return null;
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day) ? day : null;
}
