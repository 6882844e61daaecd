import { contentHashOfProfiles, type Archive } from '../archive/archive.ts';
import { signerOf, type LedgerState } from '../archive/ledger.ts';
import { checkCertificate } from '../certificate/bundle.ts';
import { addDays, dateOf, daysBetween } from '../dates.ts';
import { MonitorError } from '../errors.ts';
import { readAnswer, readProfiles, type Catalogue, type Day, type Skipped } from '../graph/schema.ts';
import type { Cursor } from '../report/model.ts';
import type { Run } from './run.ts';
import { isPartialCatalogue } from '../score/plausibility.ts';
import type { Profiles } from '../score/snapshot.ts';
import { lastTold } from './compare.ts';
import { openLedger, rememberedFrom, type LedgerView } from './ledger.ts';

/** Graph keeps so many days: https://learn.microsoft.com/en-us/graph/api/security-list-securescores */
const MOST_DAYS = 90;
/** Never fewer, so that days which are published late, or restated, come too. */
const FEWEST_DAYS = 8;
/** A catalogue that has been a part of the former one for so many days is what there is: Microsoft changed it. */
const PARTIAL_DAYS = 14;
/**
 * Of the days in between, each run reads the one that is (day number · STEP) mod 82 days older than the youngest. As
 * the days move on by one a run, each is met exactly once in 82 runs where STEP − 1 and 82 have no common divisor.
 */
const STEP = 38;

/** A checked answer of Graph, and what the archive already had. */
export interface Answer {
  /** Ascending by date. */
  days: Day[];
  newest: Day;
  /** ISO 8601. */
  fetchedAt: string;
  /** Until when the certificate that signed in is valid, ISO 8601. */
  certificateUntil: string;
  rawProfiles: unknown[];
  profiles: Profiles;
  profilesHash: string;
  /** What was last told; null on a first run. */
  told: Cursor | null;
  /** Versions of the archived days by date, as far back as this run can need them: those that the ledger names. */
  archived: Map<string, string[]>;
  /** What Graph sent and was not believed: entries, profiles, or the whole catalogue. Its date is null but for a day. */
  refused: Skipped[];
  /** Set where a part of the catalogue came, so that the last complete one stays in force. */
  partialCatalogue: { profiles: number; complete: number } | null;
  /** Versions that lie there, and that no entry of the ledger names. */
  foreign: Map<string, string[]>;
  /** What the state remembers of the ledger, and the ledger as it was then. */
  known: LedgerState | null;
  ledger: LedgerView;
  /** The newest so many days were asked for: Graph has none of those from `from` to `to` that it did not offer. */
  asked: { days: number; from: string; to: string };
  /** Dates of all entries that Graph sent, those left out among them. */
  offered: string[];
  /** Of the last 90 days, those for which Graph was asked and had none. */
  lacked: string[];
  /** Days further back that were asked for because they are missing, or damaged, in the archive. */
  lost: { date: string; why: 'missing' | 'damaged' }[];
  /** Sentences for the mail: entries that had to be left out. */
  notes: string[];
}

/**
 * Signs in, asks for the days that are missing and for all profiles, and checks the answer. Changes nothing.
 * @throws MonitorError for a certificate, a sign-in or an answer that cannot be used
 */
export async function fetchAnswer(run: Run, archive: Archive): Promise<Answer> {
  const { tenant, ports } = run;
  const now = ports.clock.now();
  const today = dateOf(now);

  const { state } = await archive.state();
  const known = state?.ledger ?? null;
  const last = await lastTold(run, archive, state);
  const told = last?.cursor ?? null;
  const horizon = rememberedFrom(now);
  const listed = await archive.days(addDays(told && told.date < horizon ? told.date : horizon, -1), now);
  // What is listed first has an entry by now, if it ever gets one.
  const ledger = await openLedger(archive, known);
  let { archived, foreign } = await sorted(run, archive, listed, ledger);
  const lost = await lostDays(archive, archived, ledger, known?.lacked ?? [], today);
  const lastArchived = [...archived.keys()].at(-1) ?? null;
  const since = [lastArchived, ...lost.map(({ date }) => date)].filter((date) => date !== null).toSorted()[0];
  const missing = since === undefined ? MOST_DAYS : daysBetween(since, today) + 1;
  const asked = Math.min(Math.max(missing, FEWEST_DAYS), MOST_DAYS);

  const certificate = checkCertificate(
    await ports.certificate.read(tenant),
    now,
    `the bundle of ${tenant.name}`,
  );
  archive.ledger.signer = signerOf(certificate);
  const session = await ports.graph.signIn(tenant, certificate, ports.invocation.deadline);
  const after = since === undefined ? null : addDays(since, lost.length > 0 ? -1 : 0);
  const entries = await session.secureScores(asked, after);
  const { days, skipped } = readAnswer({ entries, tenantId: tenant.tenantId, now });
  if (days[0]!.date < [...archived.keys(), horizon].toSorted()[0]!) {
    // As many entries as were asked for go further back where Graph has gaps.
    const all = await archive.days(addDays(days[0]!.date, -1), now);
    ({ archived, foreign } = await sorted(run, archive, all, await openLedger(archive, known)));
  }
  const catalogue = await chooseCatalogue(
    run,
    archive,
    await session.controlProfiles(),
    told && { hash: told.profiles, partialSince: last?.said.catalogue ?? null },
  );

  for (const entry of skipped)
    ports.log.warn('entry of the answer skipped', { tenant: tenant.tenantId, ...entry });
  for (const entry of catalogue.refused) {
    ports.log.warn('control profile skipped', { tenant: tenant.tenantId, ...entry });
  }
  for (const { date, difference } of days) {
    if (difference !== 0)
      ports.log.warn('sum of controls differs from the total', { tenant: tenant.tenantId, date, difference });
  }
  const offered = [...days, ...skipped].flatMap(({ date }) => date ?? []).toSorted();
  const oldest = offered[0] ?? today;
  // Graph has no more than these only where it sent fewer than were asked for, and was asked on to the end.
  const isAll = entries.length < asked && (after === null || oldest > after);
  const from = isAll ? addDays(today, 1 - asked) : oldest;
  return {
    days,
    newest: days.at(-1)!,
    fetchedAt: now.toISOString(),
    certificateUntil: certificate.notAfter.toISOString(),
    rawProfiles: [...catalogue.raw],
    profiles: catalogue.profiles,
    profilesHash: catalogue.hash,
    refused: [...skipped, ...catalogue.refused],
    partialCatalogue: catalogue.partial,
    told,
    archived,
    foreign,
    known,
    ledger,
    asked: { days: asked, from, to: today },
    offered,
    lacked: lackedDays(known?.lacked ?? [], new Set(offered), from, today),
    lost,
    // An entry of a day that was told has been named, or is not told at all.
    notes: skipped
      .filter(({ date }) => !told || date === null || date > told.date)
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
  if (!complete || !isPartialCatalogue(profiles.size, complete.profiles.size)) return chosen;
  const today = dateOf(run.ports.clock.now());
  const isLasting = last.partialSince !== null && daysBetween(last.partialSince, today) >= PARTIAL_DAYS;
  if (isLasting && profiles.size > 0) return chosen;
  const partial = { profiles: profiles.size, complete: complete.profiles.size };
  return {
    ...complete,
    hash: last.hash,
    refused: [
      ...skipped,
      {
        entry: `the catalogue ${chosen.hash}`,
        date: null,
        reason: `it has ${partial.profiles} profiles, and the last complete one ${partial.complete}`,
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
    if (!(error instanceof MonitorError && error.code === 'archive-damaged')) throw error;
    run.ports.log.error(error.message, { tenant: run.tenant.tenantId, advice: error.advice });
    return null;
  }
}

/** Archived versions that the ledger names, and those that it does not. Where no ledger has begun, all are as named. */
async function sorted(
  run: Run,
  archive: Archive,
  listed: Map<string, string[]>,
  ledger: LedgerView,
): Promise<{ archived: Map<string, string[]>; foreign: Map<string, string[]> }> {
  if (!ledger.tip) return { archived: listed, foreign: new Map() };
  const split = ({ snapshots }: LedgerView) => {
    const part = (named: boolean) =>
      [...listed]
        .map(
          ([date, hashes]) =>
            [date, hashes.filter((hash) => (snapshots.get(date)?.has(hash) ?? false) === named)] as const,
        )
        .filter(([, hashes]) => hashes.length > 0);
    return { archived: new Map(part(true)), foreign: new Map(part(false)) };
  };
  const remembered = split(ledger);
  if (remembered.foreign.size === 0) return remembered;
  // The state remembers the last days only, and is no evidence.
  const all = split(await openLedger(archive, null));
  for (const [date, hashes] of all.foreign) {
    for (const hash of hashes) {
      run.ports.log.error('a snapshot that the ledger does not name is left out', {
        tenant: run.tenant.tenantId,
        date,
        hash,
        advice:
          'Nothing of this program put it there: secure-score archive verify lists what does not belong.',
      });
    }
  }
  return all;
}

/**
 * Days of the last 90 that a run has to ask for although later ones are archived: those that the archive lacks, if Graph
 * was not asked already and had none; and one that is found damaged. One of those beyond the usual days is read a run,
 * each once while Graph keeps it, in an order that comes to all of them.
 */
async function lostDays(
  archive: Archive,
  archived: Map<string, string[]>,
  { snapshots }: LedgerView,
  lacked: string[],
  today: string,
): Promise<Answer['lost']> {
  const known = [...archived.keys(), ...snapshots.keys()].toSorted();
  const [first = today, last = today] = [known[0], [...archived.keys()].at(-1)];
  const lost: Answer['lost'] = [];
  for (let age = MOST_DAYS - 1; age >= FEWEST_DAYS; age -= 1) {
    const date = addDays(today, -age);
    if ((date > first && date < last) || snapshots.has(date)) {
      if (!archived.has(date) && !lacked.includes(date)) lost.push({ date, why: 'missing' });
    }
  }
  const turn = Math.round(Date.parse(today) / 86_400_000) * STEP;
  const inTurn = addDays(today, -FEWEST_DAYS - (turn % (MOST_DAYS - FEWEST_DAYS)));
  const hashes = archived.get(inTurn) ?? [];
  if (hashes.length > 0 && !lacked.includes(inTurn) && !(await isReadable(archive, inTurn, hashes))) {
    lost.push({ date: inTurn, why: 'damaged' });
  }
  return lost;
}

async function isReadable(archive: Archive, date: string, hashes: string[]): Promise<boolean> {
  const read = await Promise.allSettled(hashes.map((hash) => archive.snapshot(date, hash)));
  for (const each of read) {
    if (each.status === 'rejected' && !isDamage(each.reason)) throw each.reason;
  }
  return read.every(({ status }) => status === 'fulfilled');
}

function isDamage(error: unknown): boolean {
  return error instanceof MonitorError && error.code === 'archive-damaged';
}

function lackedDays(before: string[], offered: Set<string>, from: string, today: string): string[] {
  const now: string[] = [];
  for (let date = from; date < today; date = addDays(date, 1)) if (!offered.has(date)) now.push(date);
  const kept = before.filter((date) => date > addDays(today, -MOST_DAYS) && !offered.has(date));
  return [...new Set([...kept, ...now])].toSorted();
}
