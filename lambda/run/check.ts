import { canonicalProfiles, type Archive, type Canonical } from '../archive/archive.ts';
import { layout } from '../archive/layout.ts';
import type { Validity } from '../certificate/bundle.ts';
import { addDays, dateOf, daysBetween } from '../dates.ts';
import { readAnswer, readProfiles, type Catalogue, type Day, type Skipped } from '../graph/schema.ts';
import type { Cursor } from '../report/model.ts';
import { lackedDecisions } from '../score/decision.ts';
import { isPartialCatalogue } from '../score/plausibility.ts';
import type { Profiles } from '../score/snapshot.ts';
import { catalogueKnownUntil } from './last-reported.ts';
import { MOST_DAYS, sorted, type Fetched, type Known } from './fetch.ts';
import { openLedger, rememberedFrom, type LedgerView } from './ledger.ts';
import type { Run } from './run.ts';
import { isDamage } from './versions.ts';

/** The number of days after which a catalogue that has lost a part of the former one is believed. */
const PARTIAL_DAYS = 14;

/** A checked answer of Graph, with what was known before. */
export interface Answer extends Omit<Known, 'lastReported'> {
  /** Ascending by date. */
  days: Day[];
  newest: Day;
  /** ISO 8601. */
  fetchedAt: string;
  /** The validity of the certificate that signed in; null if none did. */
  certificate: Validity | null;
  rawProfiles: unknown[];
  profiles: Profiles;
  /** The profiles as they are archived. */
  profilesContent: Canonical;
  /** What was last reported; null on a first run. */
  cursor: Cursor | null;
  /** The refused parts of the answer: entries, profiles, or the complete catalogue. Only a day's entry has a date. */
  refused: Skipped[];
  /** Set if only a part of the catalogue came, so that the last complete one stays in force. */
  partialCatalogue: { profiles: number; complete: number; decisions?: number } | null;
  /** The day until which the catalogue last reported is known, if only a part came since; else null. */
  knownUntil: string | null;
  /** Of the days from `from` to `to`, Graph has only those that it offered; `days` entries were asked for. */
  asked: { days: number; from: string; to: string };
  /** Dates of all entries that Graph sent, including those left out. */
  offered: string[];
  /** The days of the last 90 that Graph was asked for and did not have. */
  lacked: string[];
  /** Sentences for the mail, about entries that had to be left out. */
  notes: string[];
}

/**
 * Reads the answer and leaves out what cannot be used. It changes nothing.
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
    // The number of entries asked for reaches further back if Graph has gaps.
    const all = await archive.days(addDays(days[0]!.date, -1), now);
    ({ archived, foreign } = await sorted(run, archive, all, await openLedger(archive, known)));
  }
  const catalogue = await chooseCatalogue(
    run,
    archive,
    fetched.profiles,
    cursor && {
      hashes: [...new Set([(await lastCatalogue(run, archive, ledger)) ?? cursor.profiles, cursor.profiles])],
      partialSince: lastReported?.said.catalogue ?? null,
    },
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
  // Graph has no other days only if it sent fewer entries than were asked for, and was read to the end.
  const isAll = entries.length < fetched.asked && (after === null || oldest > after);
  const from = isAll ? addDays(today, 1 - fetched.asked) : oldest;
  return {
    days,
    newest: days.at(-1)!,
    fetchedAt: fetched.fetchedAt,
    certificate: fetched.certificate,
    rawProfiles: [...catalogue.raw],
    profiles: catalogue.profiles,
    profilesContent: catalogue.content,
    refused: [...skipped, ...catalogue.refused],
    partialCatalogue: catalogue.partial,
    knownUntil: lastReported && catalogueKnownUntil(lastReported),
    cursor,
    archived,
    foreign,
    known,
    ledger,
    asked: { days: fetched.asked, from, to: today },
    offered,
    lacked: lackedDays(known?.lacked ?? [], new Set(offered), from, today),
    lost,
    // An entry of a day that was already reported is not mentioned again.
    notes: skipped
      .filter(({ date }) => !cursor || date === null || date > cursor.date)
      .map(({ entry, reason }) => `Of Graph's answer, ${entry} was left out: ${reason}.`),
  };
}

interface ChosenCatalogue extends Catalogue {
  content: Canonical;
  refused: Skipped[];
  partial: Answer['partialCatalogue'];
}

/**
 * The catalogue in force: the new one, or the last complete one if only a part came, because titles, maxima and decisions
 * would be lost with the rest. A part is not archived, because whatever is archived counts as the catalogue of its days.
 * @param last the catalogues that may be the last complete one, latest first: the last one archived and, where that is
 *   damaged, the last one reported; and the day since which only a part has come
 */
async function chooseCatalogue(
  run: Run,
  archive: Archive,
  raw: unknown[],
  last: { hashes: string[]; partialSince: string | null } | null,
): Promise<ChosenCatalogue> {
  const { profiles, skipped } = readProfiles(raw);
  const chosen = { raw, profiles, content: canonicalProfiles(raw), refused: skipped, partial: null };
  if (!last || last.hashes[0] === chosen.content.hash) return chosen;

  let complete: Catalogue | null = null;
  for (const hash of last.hashes) complete ??= await readCatalogue(run, archive, hash);
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
    content: canonicalProfiles(complete.raw),
    refused: [
      ...skipped,
      {
        entry: `the catalogue ${chosen.content.hash}`,
        date: null,
        reason: isPart
          ? `it has ${partial.profiles} profiles, but the last complete one has ${partial.complete}`
          : `it has none of the ${decisions} decisions that the last complete one has`,
      },
    ],
    partial,
  };
}

/** The hash of the catalogue in force. One that a run listed before it died may never have been created, and is none. */
async function lastCatalogue(
  { tenant }: Run,
  archive: Archive,
  { catalogues, beyond }: LedgerView,
): Promise<string | null> {
  const uncertain = new Set(beyond.flatMap(({ entry }) => entry?.added.map(({ key }) => key) ?? []));
  for (const hash of [...catalogues].toReversed()) {
    const key = layout.profiles(tenant.tenantId, hash);
    if (!uncertain.has(key) || (await archive.has(key))) return hash;
  }
  return null;
}

/** Null if it is damaged, so that there is nothing to compare with. */
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
