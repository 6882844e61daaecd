import { contentHashOfProfiles, type Archive } from '../archive/archive.ts';
import { checkCertificate } from '../certificate/bundle.ts';
import { addDays, dateOf, daysBetween } from '../dates.ts';
import { readAnswer, readProfiles, type Day } from '../graph/schema.ts';
import type { Cursor } from '../report/model.ts';
import type { Run } from '../run.ts';
import type { Profiles } from '../score/snapshot.ts';
import { lastTold } from './compare.ts';

/** Graph keeps so many days: https://learn.microsoft.com/en-us/graph/api/security-list-securescores */
const MOST_DAYS = 90;
/** Never fewer, so that days which are published late, or restated, come too. */
const FEWEST_DAYS = 8;

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

  const told = (await lastTold(archive, (await archive.state()).state))?.cursor ?? null;
  const horizon = addDays(today, -MOST_DAYS - FEWEST_DAYS);
  const archived = await archive.days(addDays(told && told.date < horizon ? told.date : horizon, -1));
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
  const rawProfiles = await session.controlProfiles();
  const { profiles, skipped: skippedProfiles } = readProfiles(rawProfiles);

  for (const entry of skipped)
    ports.log.warn('entry of the answer skipped', { tenant: tenant.tenantId, ...entry });
  for (const entry of skippedProfiles) {
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
    rawProfiles,
    profiles,
    profilesHash: contentHashOfProfiles(rawProfiles),
    told,
    archived,
    // An entry of a day that was told has been named, or is not told at all.
    notes: skipped
      .filter(({ date }) => !told || date === null || date > told.date)
      .map(({ entry, reason }) => `Of Graph's answer, ${entry} was left out: ${reason}.`),
  };
}
