import { contentHashOfProfiles, type Archive } from '../archive/archive.ts';
import { addDays, dateOf, daysBetween } from '../dates.ts';
import { readAnswer, readProfiles, type Catalogue, type Day, type Skipped } from '../graph/schema.ts';
import type { Cursor } from '../report/model.ts';
import { lackedDecisions } from '../score/decision.ts';
import { isPartialCatalogue } from '../score/plausibility.ts';
import type { Profiles } from '../score/snapshot.ts';
import { MOST_DAYS, sorted, type Fetched, type Known } from './fetch.ts';
import { openLedger, rememberedFrom } from './ledger.ts';
import type { Run } from './run.ts';
import { isDamage } from './versions.ts';

/** A catalogue that has been a part of the former one for 14 days is what there is: Microsoft changed it. */
const PARTIAL_DAYS = 14;

/** A checked answer of Graph, and what was known before. */
export interface Answer extends Omit<Known, 'lastReported'> {
  /** Ascending by date. */
  days: Day[];
  newest: Day;
  /** ISO 8601. */
  fetchedAt: string;
  /** Until when the certificate that signed in is valid, ISO 8601; null where none did. */
  certificateUntil: string | null;
  rawProfiles: unknown[];
  profiles: Profiles;
  profilesHash: string;
  /** What was last reported; null on a first run. */
  cursor: Cursor | null;
  /** What Graph sent and was not believed: entries, profiles, or the whole catalogue. Its date is null but for a day. */
  refused: Skipped[];
  /** Set where a part of the catalogue came, so that the last complete one stays in force. */
  partialCatalogue: { profiles: number; complete: number; decisions?: number } | null;
  /** Graph has none of the days from `from` to `to` that it did not offer; `days` entries were asked for. */
  asked: { days: number; from: string; to: string };
  /** Dates of all entries that Graph sent, those left out among them. */
  offered: string[];
  /** Of the last 90 days, those for which Graph was asked and had none. */
  lacked: string[];
  /** Sentences for the mail: entries that had to be left out. */
  notes: string[];
}

/**
 * Reads the answer and leaves out what cannot be used of it. Changes nothing.
 * @throws MonitorError for an answer whose newest entry cannot be used
 */
export async function check(run: Run, archive: Archive, fetched: Fetched): Promise<Answer> {
  const { tenant, ports } = run;
  const { log } = ports;
  const { lastReported, known, ledger, lost, entries, after } = fetched;
  const now = new Date(fetched.fetchedAt);
  const today = dateOf(now);
  const cursor = lastReported?.cursor ?? null;

  const { days, skipped } = readAnswer({ entries, tenantId: tenant.tenantId, now });
  let { archived, foreign } = fetched;
  if (days[0]!.date < [...archived.keys(), rememberedFrom(now)].toSorted()[0]!) {
    // As many entries as were asked for go further back where Graph has gaps.
    const all = await archive.days(addDays(days[0]!.date, -1), now);
    ({ archived, foreign } = await sorted(run, archive, all, await openLedger(archive, known)));
  }
  const catalogue = await chooseCatalogue(
    run,
    archive,
    fetched.profiles,
    cursor && { hash: cursor.profiles, partialSince: lastReported?.said.catalogue ?? null },
  );

  for (const entry of skipped) log.warn('entry of the answer skipped', { tenant: tenant.tenantId, ...entry });
  for (const entry of catalogue.refused) {
    log.warn('control profile skipped', { tenant: tenant.tenantId, ...entry });
  }
  for (const { date, difference } of days) {
    if (difference !== 0)
      log.warn('sum of controls differs from the total', { tenant: tenant.tenantId, date, difference });
  }
  const offered = [...days, ...skipped].flatMap(({ date }) => date ?? []).toSorted();
  const oldest = offered[0] ?? today;
  // Graph has no more than these only where it sent fewer than were asked for, and was asked on to the end.
  const isAll = entries.length < fetched.asked && (after === null || oldest > after);
  const from = isAll ? addDays(today, 1 - fetched.asked) : oldest;
  return {
    days,
    newest: days.at(-1)!,
    fetchedAt: fetched.fetchedAt,
    certificateUntil: fetched.certificateUntil,
    rawProfiles: [...catalogue.raw],
    profiles: catalogue.profiles,
    profilesHash: catalogue.hash,
    refused: [...skipped, ...catalogue.refused],
    partialCatalogue: catalogue.partial,
    cursor,
    archived,
    foreign,
    known,
    ledger,
    asked: { days: fetched.asked, from, to: today },
    offered,
    lacked: lackedDays(known?.lacked ?? [], new Set(offered), from, today),
    lost,
    // An entry of a day that was reported has been named, or is not named at all.
    notes: skipped
      .filter(({ date }) => !cursor || date === null || date > cursor.date)
      .map(({ entry, reason }) => `Of Graph's answer, ${entry} was left out: ${reason}.`),
  };
}

interface ChosenCatalogue extends Catalogue {
  hash: string;
  refused: Skipped[];
  partial: Answer['partialCatalogue'];
}

/**
 * The catalogue in force: the one that came, or the last complete one where only a part of it came. Titles, maxima and
 * decisions would be lost with the rest. The part is not archived: whatever is, is taken for the catalogue of its days.
 * @param last what was in force at the last report, and since when a part of it comes
 */
async function chooseCatalogue(
  run: Run,
  archive: Archive,
  raw: unknown[],
  last: { hash: string; partialSince: string | null } | null,
): Promise<ChosenCatalogue> {
  const { profiles, skipped } = readProfiles(raw);
  const chosen = { raw, profiles, hash: contentHashOfProfiles(raw), refused: skipped, partial: null };
  if (!last || last.hash === chosen.hash) return chosen;

  const complete = await readCatalogue(run, archive, last.hash);
  if (!complete) return chosen;
  const isPart = isPartialCatalogue(profiles.size, complete.profiles.size);
  const decisions = lackedDecisions(complete.profiles, profiles);
  if (!isPart && decisions === 0) return chosen;
  const today = dateOf(run.ports.clock.now());
  const isLasting = last.partialSince !== null && daysBetween(last.partialSince, today) >= PARTIAL_DAYS;
  if (isLasting && profiles.size > 0) return chosen;
  const partial = {
    profiles: profiles.size,
    complete: complete.profiles.size,
    ...(isPart ? {} : { decisions }),
  };
  return {
    ...complete,
    hash: last.hash,
    refused: [
      ...skipped,
      {
        entry: `the catalogue ${chosen.hash}`,
        date: null,
        reason: isPart
          ? `it has ${partial.profiles} profiles, and the last complete one ${partial.complete}`
          : `it has none of the ${decisions} decisions that the last complete one has`,
      },
    ],
    partial,
  };
}

/** Null where it is damaged: then there is nothing to measure by. */
async function readCatalogue(run: Run, archive: Archive, hash: string): Promise<Catalogue | null> {
  try {
    const raw = await archive.profiles(hash);
    return { raw, profiles: readProfiles(raw).profiles };
  } catch (error) {
    if (!isDamage(error)) throw error;
    run.ports.log.error(error.message, { tenant: run.tenant.tenantId, advice: error.advice });
    return null;
  }
}

function lackedDays(before: string[], offered: Set<string>, from: string, today: string): string[] {
  const now: string[] = [];
  for (let date = from; date < today; date = addDays(date, 1)) if (!offered.has(date)) now.push(date);
  const kept = before.filter((date) => date > addDays(today, -MOST_DAYS) && !offered.has(date));
  return [...new Set([...kept, ...now])].toSorted();
}
