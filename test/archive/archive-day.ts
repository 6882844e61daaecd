import { Archive, canonicalProfiles, contentHash } from '../../lambda/archive/archive.ts';
import { EMPTY_STATE } from '../../lambda/archive/state.ts';
import { addDays, dateOf } from '../../lambda/dates.ts';
import { readAnswer, readProfiles } from '../../lambda/graph/schema.ts';
import type { Log, ObjectStore } from '../../lambda/ports.ts';
import { bringColumnsUpToDate } from '../../lambda/run/columns.ts';
import { archiveDays } from '../../lambda/run/archive.ts';
import { openLedger } from '../../lambda/run/ledger.ts';
import { generatedTenant } from '../../simulator/generated-tenant.ts';
import { practiceTenant } from '../../simulator/practice-tenant.ts';
import type { TimelineTenant } from '../../simulator/timeline.ts';
import { world } from '../run/fakes.ts';

/** What Graph answers a run. */
export interface GraphAnswer {
  tenantId: string;
  /** Newest first. */
  entries: unknown[];
  profiles: unknown[];
}

/**
 * A run without its mails: archives an answer of Graph and brings the columns up to date, by the very steps of a run.
 * @returns false where the columns failed
 */
export async function archiveAnswer(
  store: ObjectStore,
  now: string,
  { tenantId, entries, profiles: rawProfiles }: GraphAnswer,
  log?: Log,
): Promise<boolean> {
  const { run } = world(now);
  run.tenant = { ...run.tenant, tenantId };
  run.ports.store = store;
  if (log) run.ports.log = log;
  const archive = new Archive(store, tenantId);
  const { days } = readAnswer({ entries, tenantId });
  const today = dateOf(run.ports.clock.now());
  const answer = {
    days,
    newest: days.at(-1)!,
    fetchedAt: run.ports.clock.now().toISOString(),
    certificate: null,
    rawProfiles,
    profiles: readProfiles(rawProfiles).profiles,
    profilesContent: canonicalProfiles(rawProfiles),
    cursor: null,
    archived: await archive.days(addDays([addDays(today, -98), days[0]!.date].toSorted()[0]!, -1)),
    foreign: new Map(),
    known: null,
    ledger: await openLedger(archive, null),
    asked: { days: days.length, from: days[0]!.date, to: today },
    offered: days.map(({ date }) => date),
    refused: [],
    partialCatalogue: null,
    lacked: [],
    lost: [],
    knownUntil: null,
    notes: [],
  };
  const archived = await archiveDays(run, archive, answer);
  const { state, version } = await archive.state();
  const next = { ...(state ?? EMPTY_STATE), ledger: archived.ledger };
  if (contentHash(next) !== contentHash(state)) await archive.swapState(next, version);
  return bringColumnsUpToDate(run, answer, archived);
}

/** One run on a simulated tenant as it stands: of 90 days where nothing is archived yet, else of the last 8. */
export async function archiveTenant(store: ObjectStore, tenant: TimelineTenant): Promise<boolean> {
  const reading = tenant.read();
  const isFirst = (await new Archive(store, tenant.tenantId).days('')).size === 0;
  const entries = reading.dates
    .slice(0, isFirst ? 90 : 8)
    .map((date, index) => reading.secureScore(date, index === 0));
  const { tenantId } = tenant;
  return archiveAnswer(store, `${tenant.today}T07:00:00Z`, {
    tenantId,
    entries,
    profiles: reading.profiles(),
  });
}

export interface PracticeArchive {
  /** yyyy-mm-dd of the last day. */
  today: string;
  /** Of the practice tenant, whose 100 days hold everything that can happen; then of the generated ones. */
  tenantIds: string[];
}

/**
 * Fills an archive, columns and all: the practice tenant's 100 days, the last ten of them run by run; and, where
 * asked for, other tenants with 90 days.
 */
export async function practiceArchive(
  store: ObjectStore,
  { today = '2026-03-31', others = 0 } = {},
): Promise<PracticeArchive> {
  const practice = practiceTenant({ today: addDays(today, -10) });
  await archiveTenant(store, practice);
  for (let run = 0; run < 10; run += 1) {
    practice.advance(1);
    await archiveTenant(store, practice);
  }
  const tenantIds = [practice.tenantId];
  for (let other = 0; other < others; other += 1) {
    const tenant = generatedTenant(`other ${other}`, { today, controls: 120 });
    await archiveTenant(store, tenant);
    tenantIds.push(tenant.tenantId);
  }
  return { today, tenantIds };
}
