import type { Archive } from '../archive/archive.ts';
import { signerOf, type LedgerState } from '../archive/ledger.ts';
import type { LastReported } from '../archive/state.ts';
import { checkCertificate, type Validity } from '../certificate/bundle.ts';
import { addDays, dateOf, daysBetween } from '../dates.ts';
import { findLastReported } from './last-reported.ts';
import { openLedger, rememberedFrom, type LedgerView } from './ledger.ts';
import type { Run } from './run.ts';
import { isDamage } from './versions.ts';
import { commandLine } from '../command-line.ts';

/** Graph keeps 90 days: https://learn.microsoft.com/en-us/graph/api/security-list-securescores */
export const MOST_DAYS = 90;
/** The minimum number of days to ask for, so that days published late, or restated, come too. */
const FEWEST_DAYS = 8;
/**
 * Of the days in between, each run reads the one that is (day number · STEP) mod 82 days older than the youngest. The
 * days move on by one per run, so each is read exactly once in 82 runs if STEP − 1 and 82 have no common divisor.
 */
const STEP = 38;

/** What was known before Graph was asked. */
export interface Known {
  /** What was last reported; null on a first run. */
  lastReported: LastReported | null;
  /** Versions of the archived days that the ledger lists, by date, as far back as this run can need them. */
  archived: Map<string, string[]>;
  /** Versions in the archive that no entry of the ledger lists. */
  foreign: Map<string, string[]>;
  /** What the state remembers of the ledger. */
  known: LedgerState | null;
  ledger: LedgerView;
  /** Earlier days that are asked for because they are missing or damaged in the archive. */
  lost: { date: string; why: 'missing' | 'damaged' }[];
}

/** Graph's answer, as it came. */
export interface Fetched extends Known {
  /** ISO 8601. */
  fetchedAt: string;
  /** The validity of the certificate that signed in; null if none did. */
  certificate: Validity | null;
  /** The number of newest entries asked for. Pages were followed back to `after` at least (yyyy-mm-dd; null: to the end). */
  asked: number;
  after: string | null;
  entries: unknown[];
  profiles: unknown[];
}

/**
 * Signs in, and asks for the missing days and for all profiles. It changes nothing.
 * @throws MonitorError for a certificate or a sign-in that cannot be used, or if Graph does not answer
 */
export async function fetchAnswer(run: Run, archive: Archive): Promise<Fetched> {
  const { tenant, ports } = run;
  const now = ports.clock.now();
  const known = await whatIsKnown(run, archive, now);
  const { archived, lost } = known;
  const lastArchived = [...archived.keys()].at(-1) ?? null;
  const since = [lastArchived, ...lost.map(({ date }) => date)].filter((date) => date !== null).toSorted()[0];
  const missing = since === undefined ? MOST_DAYS : daysBetween(since, dateOf(now)) + 1;
  const asked = Math.min(Math.max(missing, FEWEST_DAYS), MOST_DAYS);
  const after = since === undefined ? null : addDays(since, lost.length > 0 ? -1 : 0);

  const certificate =
    tenant.signIn === 'federated'
      ? null
      : checkCertificate(await ports.certificate.read(tenant), now, `the bundle of ${tenant.name}`);
  archive.ledger.signer = certificate
    ? signerOf(certificate)
    : { unsigned: 'the tenant signs in federated, without a certificate' };
  const session = await ports.graph.signIn(tenant, certificate, ports.invocation.deadline);
  return {
    ...known,
    fetchedAt: now.toISOString(),
    certificate,
    asked,
    after,
    entries: await session.secureScores(asked, after),
    profiles: await session.controlProfiles(),
  };
}

async function whatIsKnown(run: Run, archive: Archive, now: Date): Promise<Known> {
  const { state } = await archive.state();
  const known = state?.ledger ?? null;
  const last = await findLastReported(run, archive, state);
  const date = last?.cursor?.date ?? null;
  const horizon = rememberedFrom(now);
  const listed = await archive.days(addDays(date !== null && date < horizon ? date : horizon, -1), now);
  // Objects are listed before the ledger is read, because an object's entry is created before the object.
  const ledger = await openLedger(archive, known);
  const { archived, foreign } = await sorted(run, archive, listed, ledger);
  const lost = await lostDays(archive, archived, ledger, known?.lacked ?? [], dateOf(now), date);
  return { lastReported: last, archived, foreign, known, ledger, lost };
}

/** Separates archived versions that the ledger lists from others. Before a ledger has begun, all count as listed. */
export async function sorted(
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
      run.ports.log.error('a snapshot that the ledger does not list is left out', {
        tenant: run.tenant.tenantId,
        date,
        hash,
        advice: `This program did not put it there: ${commandLine('archive verify')} lists what does not belong.`,
      });
    }
  }
  return all;
}

/**
 * Days of the last 90 that a run must ask for although later ones are archived: those that the archive lacks, unless
 * Graph was already asked and had none, and those found damaged. To find damage, each run reads the day last reported,
 * from which it starts, and one of the days beyond the usual ones, in an order that reaches each while Graph keeps it.
 */
async function lostDays(
  archive: Archive,
  archived: Map<string, string[]>,
  { snapshots }: LedgerView,
  lacked: string[],
  today: string,
  reported: string | null,
): Promise<Known['lost']> {
  const known = [...archived.keys(), ...snapshots.keys()].toSorted();
  const [first = today, last = today] = [known[0], [...archived.keys()].at(-1)];
  const lost: Known['lost'] = [];
  for (let age = MOST_DAYS - 1; age >= FEWEST_DAYS; age -= 1) {
    const date = addDays(today, -age);
    if ((date > first && date < last) || snapshots.has(date)) {
      if (!archived.has(date) && !lacked.includes(date)) lost.push({ date, why: 'missing' });
    }
  }
  const turn = Math.round(Date.parse(today) / 86_400_000) * STEP;
  const inTurn = addDays(today, -FEWEST_DAYS - (turn % (MOST_DAYS - FEWEST_DAYS)));
  const isOld =
    reported !== null && reported > addDays(today, -MOST_DAYS) && reported <= addDays(today, -FEWEST_DAYS);
  for (const date of new Set(isOld ? [inTurn, reported] : [inTurn])) {
    const hashes = archived.get(date) ?? [];
    if (hashes.length > 0 && !lacked.includes(date) && !(await isReadable(archive, date, hashes))) {
      lost.push({ date, why: 'damaged' });
    }
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
