import type { Change } from '../score/change.ts';
import { diff, type Difference } from '../score/diff.ts';
import { maximumOf } from '../score/maximum.ts';
import { percentageOf, type Profile, type Profiles, type Snapshot } from '../score/snapshot.ts';
import type { DayReport, ReportedChange, ScoreLine, StartReport } from './model.ts';
import { line, plainText, safeLink } from './plain-text.ts';

/** Characters kept of a foreign text: enough to act on; the portal has the rest. */
const STATUS_LENGTH = 300;
const REMEDIATION_LENGTH = 600;

const GAPS = 10;

export function scoreLine(snapshot: Snapshot): ScoreLine {
  const { date, points, maximum } = snapshot;
  return { date, points, maximum, percentage: percentageOf(snapshot) };
}

/** Compares two consecutive days and adds to each change what a person needs to act on it. */
export function dayReport(
  before: Snapshot,
  after: Snapshot,
  profiles: { before: Profiles; after: Profiles },
): DayReport {
  return {
    date: after.date,
    previousDate: before.date,
    before: scoreLine(before),
    after: scoreLine(after),
    changes: diff(before, after, profiles).map((difference) => enrich(difference, profiles)),
  };
}

function enrich(difference: Difference, profiles: { before: Profiles; after: Profiles }): ReportedChange {
  const { change, before, after } = difference;
  const profile = profileOf(change, profiles);
  return {
    ...change,
    title: line(change.title, 300),
    previousControl: change.kind === 'renamed' ? (before?.name ?? null) : null,
    status:
      before?.complete && after?.complete && before.status !== after.status
        ? {
            before: plainText(before.status, STATUS_LENGTH) ?? '',
            after: plainText(after.status, STATUS_LENGTH) ?? '',
          }
        : null,
    lastSynced: (after ?? before)?.lastSynced ?? null,
    service: profile?.service ?? null,
    tier: profile?.tier ?? null,
    implementationCost: profile?.implementationCost ?? null,
    userImpact: profile?.userImpact ?? null,
    remediation: plainText(profile?.remediation ?? null, REMEDIATION_LENGTH),
    actionUrl: safeLink(profile?.actionUrl ?? null),
  };
}

function profileOf(change: Change, profiles: { before: Profiles; after: Profiles }): Profile | undefined {
  return change.control === null
    ? undefined
    : (profiles.after.get(change.control) ?? profiles.before.get(change.control));
}

/**
 * The picture of the first mail: where the tenant stands, and how it came there.
 * @param days oldest first; the last is the newest
 */
export function startReport(days: Snapshot[], newest: Snapshot, profiles: Profiles): StartReport {
  const controls = [...newest.controls.values()].map((control) => {
    const profile = profiles.get(control.name);
    return { control, profile, maximum: maximumOf(control, profile) };
  });

  const categories = new Map<string, StartReport['categories'][number]>();
  for (const { control, maximum } of controls) {
    const sum = categories.get(control.category) ?? {
      category: control.category,
      controls: 0,
      points: 0,
      maximum: null,
    };
    sum.controls += 1;
    sum.points += control.points;
    if (maximum !== null) sum.maximum = (sum.maximum ?? 0) + maximum;
    categories.set(control.category, sum);
  }

  const gaps = controls
    .flatMap(({ control, profile, maximum }) =>
      maximum === null || maximum <= control.points
        ? []
        : [
            {
              control: control.name,
              title: line(profile?.title ?? control.name, 300),
              category: control.category,
              points: control.points,
              maximum,
              implementationCost: profile?.implementationCost ?? null,
              actionUrl: safeLink(profile?.actionUrl ?? null),
            },
          ],
    )
    .toSorted((a, b) => b.maximum - b.points - (a.maximum - a.points) || (a.control < b.control ? -1 : 1));

  const open = ({ points, maximum }: StartReport['categories'][number]) => (maximum ?? points) - points;
  return {
    trend: days.map(scoreLine),
    categories: [...categories.values()].toSorted((a, b) => open(b) - open(a)),
    gaps: gaps.slice(0, GAPS),
  };
}
