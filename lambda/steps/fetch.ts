import { contentHashOfProfiles, type Archive } from '../archive/archive.ts';
import { checkCertificate } from '../certificate/bundle.ts';
import { addDays, dateOf, daysBetween } from '../dates.ts';
import { MonitorError } from '../errors.ts';
import { readAnswer, readProfiles, type Catalogue, type Day, type Skipped } from '../graph/schema.ts';
import type { Cursor } from '../report/model.ts';
import type { Run } from '../run.ts';
import { isPartialCatalogue } from '../score/plausibility.ts';
import type { Profiles } from '../score/snapshot.ts';
import { lastTold } from './compare.ts';

/** Graph keeps so many days: https://learn.microsoft.com/en-us/graph/api/security-list-securescores */
const MOST_DAYS = 90;
/** Never fewer, so that days which are published late, or restated, come too. */
const FEWEST_DAYS = 8;
/** A catalogue that has been a part of the former one for so many days is what there is: Microsoft changed it. */
const PARTIAL_DAYS = 14;

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
  /** Versions of the archived days by date, as far back as this run can need them. */
  archived: Map<string, string[]>;
  /** What Graph sent and was not believed: entries, profiles, or the whole catalogue. Its date is null but for a day. */
  refused: Skipped[];
  /** Set where a part of the catalogue came, so that the last complete one stays in force. */
  partialCatalogue: { profiles: number; complete: number } | null;
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

  const last = await lastTold(run, archive, (await archive.state()).state);
  const told = last?.cursor ?? null;
  const horizon = addDays(today, -MOST_DAYS - FEWEST_DAYS);
  const archived = await archive.days(addDays(told && told.date < horizon ? told.date : horizon, -1), now);
  const lastArchived = [...archived.keys()].at(-1) ?? null;
  const missing = lastArchived === null ? MOST_DAYS : daysBetween(lastArchived, today) + 1;

  const certificate = checkCertificate(
    await ports.certificate.read(tenant),
    now,
    `the bundle of ${tenant.name}`,
  );
  const session = await ports.graph.signIn(tenant, certificate, ports.invocation.deadline);
  const entries = await session.secureScores(
    Math.min(Math.max(missing, FEWEST_DAYS), MOST_DAYS),
    lastArchived,
  );
  const { days, skipped } = readAnswer({ entries, tenantId: tenant.tenantId, now });
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
