import { MonitorError } from '../../lambda/errors.ts';
import type { Fault } from './faults.ts';
import type { Event } from './history.ts';
import { dateAt, indexOf, versionOn, type Truth, type Version } from './truth.ts';

/*
 * Graph's answers, as they stand on the wire.
 */

/** Graph keeps 90 days. */
const KEPT_DAYS = 90;

const WEEKS = 21;

/** What an invocation was served. */
export interface Served {
  /** By date; those that are no day of the tenant are not among them. */
  versions: Map<string, Version>;
  newest: Version | null;
  /** Names by uid, as the complete catalogue has them; and whether it was served complete. */
  catalogue: { complete: boolean; at: string };
}

/**
 * @param faults of this tenant on this day
 * @param meet is called with each fault that an answer shows
 */
export function answerOf(
  truth: Truth,
  today: number,
  now: Date,
  faults: readonly Event[],
  meet: (fault: Fault) => void = () => {},
): { entries: (count: number) => unknown[]; profiles: () => unknown[]; served: Served } {
  const has = (kind: Event['kind']) => faults.some((fault) => fault.kind === kind);
  const meets = (kind: Event['kind'] & Fault): boolean => {
    if (has(kind)) meet(kind);
    return has(kind);
  };
  const dates: Version[] = [];
  for (let index = today; index >= Math.max(0, today - KEPT_DAYS + 1); index -= 1) {
    const day = truth.days[index]!;
    if (day.published <= today) dates.push(versionOn(day, today));
  }
  const served: Served = {
    versions: new Map(),
    newest: null,
    catalogue: { complete: true, at: now.toISOString() },
  };
  return {
    served,
    entries(count) {
      if (meets('partial'))
        throw new MonitorError('partial-answer', 'The answer is partial.', 'Run again.', { retryable: true });
      if (meets('empty')) return [];
      const answered = dates.slice(0, count);
      const entries: unknown[] = answered.map((version, index) =>
        entryOf(truth.tenantId, version, index === 0),
      );
      const isUsable = !has('placeholder') && !has('malformed');
      if (meets('placeholder')) entries[0] = { ...(entries[0] as object), azureTenantId: 'NA' };
      if (meets('malformed')) entries[0] = { ...(entries[0] as object), currentScore: -1 };
      if (meets('future')) {
        const future = { ...answered[0]!, date: dateAt(today + 40), tag: 'future' };
        entries.unshift(entryOf(truth.tenantId, future, true));
      }
      meetDays(truth, today, answered, meet);
      for (const version of isUsable ? answered : answered.slice(1))
        served.versions.set(version.date, version);
      served.newest = isUsable ? (answered[0] ?? null) : null;
      return entries;
    },
    profiles() {
      const all = catalogueOf(truth, today, now);
      served.catalogue.complete = !meets('half catalogue') && !meets('no catalogue');
      if (has('no catalogue')) return [];
      return has('half catalogue') ? all.slice(0, Math.floor(all.length * 0.4)) : all;
    },
  };
}

/** What the days of an answer show: lies, silence, and days that are late or missing. */
function meetDays(truth: Truth, today: number, answered: Version[], meet: (fault: Fault) => void): void {
  const [newest] = answered;
  const oldest = answered.at(-1);
  if (!newest || !oldest) return;
  if (newest.lie) meet(newest.lie);
  const last = indexOf(newest.date);
  if (today - last >= WEEKS) meet('silent for weeks');
  for (let index = indexOf(oldest.date); index <= last; index += 1) {
    const { published } = truth.days[index]!;
    if (published > index) meet(published <= today ? 'late' : 'missing');
  }
}

export function entryOf(tenantId: string, version: Version, newest: boolean): Record<string, unknown> {
  const { date, tag, services, points, maximum } = version;
  return {
    id: `${tenantId}_${date}`,
    azureTenantId: tenantId,
    createdDateTime: `${date}T00:00:00Z`,
    currentScore: points,
    maxScore: maximum,
    activeUserCount: 40,
    licensedUserCount: 0,
    enabledServices: services,
    vendorInformation: {
      vendor: 'Microsoft',
      provider: 'SecureScore',
      providerVersion: tag,
      subProvider: null,
    },
    averageComparativeScores: [],
    controlScores: version.controls.map((control) => ({
      controlName: control.name,
      controlCategory: control.name.includes('mdo_') ? 'Apps' : 'Identity',
      score: control.points,
      scoreInPercentage: Math.round((10_000 * control.points) / control.maximum) / 100,
      ...(newest
        ? {
            description: `<p>About ${control.name}</p>`,
            implementationStatus: `You have ${control.users - control.failing} of ${control.users} users.`,
            lastSynced: `${date}T04:00:00Z`,
            count: String(control.users - control.failing),
            total: String(control.users),
          }
        : { description: null, implementationStatus: 'You have 0 of 0 users.' }),
    })),
  };
}

function catalogueOf(truth: Truth, today: number, now: Date): unknown[] {
  const day = truth.days[today]!;
  const profiles = day.catalogue.map(({ uid, name, maximum }) => {
    const updates = (truth.decisions.get(uid) ?? []).filter(({ at }) => Date.parse(at) <= now.getTime());
    return profileOf(
      name,
      maximum,
      updates.map(({ state, at, by }) => ({
        state,
        updatedDateTime: at,
        updatedBy: by,
        comment: 'agreed',
        assignedTo: null,
      })),
    );
  });
  return [...profiles, ...Array.from({ length: 12 }, (_, index) => profileOf(`other_${index}`, 5, []))];
}

function profileOf(id: string, maxScore: number, controlStateUpdates: unknown[]) {
  return {
    id,
    title: `Title of ${id}`,
    maxScore,
    rank: 1,
    service: 'AzureAD',
    tier: 'Core',
    implementationCost: 'Low',
    userImpact: 'Low',
    actionUrl: 'https://entra.microsoft.com/',
    remediation: '<p>Turn it on.</p>',
    controlStateUpdates,
  };
}
