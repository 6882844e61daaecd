import { explain } from '../score/attribution.ts';
import type { Explanation } from '../score/change.ts';
import { diff, type Difference, type ProfilesOfTwo } from '../score/diff.ts';
import { maximumOf } from '../score/maximum.ts';
import { partOf, pendingPart, type Drop, type Settling } from '../score/settle.ts';
import {
  scoreLine,
  type Decision,
  type Profile,
  type Profiles,
  type ScoreLine,
  type Snapshot,
} from '../score/snapshot.ts';
import type {
  ConfirmedDrop,
  DayReport,
  MailAccount,
  ReportedChange,
  StartReport,
  TrendDay,
} from './model.ts';
import { line, safeLink } from './plain-text.ts';

/** The maximum length of a foreign text, in characters. It is enough to act on, and the portal has the rest. */
const TITLE_LENGTH = 300;
const STATUS_LENGTH = 300;
const REMEDIATION_LENGTH = 600;
const COMMENT_LENGTH = 300;

const GAPS = 10;

const EFFORT: Record<string, number> = { low: 1, moderate: 2, medium: 2, high: 3 };

/** The reader of HTML, most of which is a table of entities. A day without a change does without it. */
type HtmlReader = typeof import('./from-html.ts');
const htmlReader = (): Promise<HtmlReader> => import('./from-html.ts');

/** Why the score moved between two consecutive days, without what a person needs to act on it. */
export function dayExplanation(before: Snapshot, after: Snapshot, profiles: ProfilesOfTwo): Explanation {
  return explain(
    before,
    after,
    diff(before, after, profiles).map(({ change }) => change),
  );
}

/** Compares two consecutive days and adds to each change what a person needs to act on it. Not settled yet. */
export async function dayReport(
  before: Snapshot,
  after: Snapshot,
  profiles: ProfilesOfTwo,
): Promise<{ day: DayReport; explanation: Explanation }> {
  const differences = diff(before, after, profiles);
  const html = differences.length > 0 ? await htmlReader() : null;
  const changes = html ? differences.map((difference) => enrich(difference, profiles, html)) : [];
  return {
    day: {
      date: after.date,
      previousDate: before.date,
      before: scoreLine(before),
      after: scoreLine(after),
      changes,
    },
    explanation: explain(before, after, changes),
  };
}

function enrich(difference: Difference, profiles: ProfilesOfTwo, html: HtmlReader): ReportedChange {
  const { change, before, after, decision, failing } = difference;
  const profile =
    change.control === null
      ? undefined
      : (profiles.after.get(change.control) ?? profiles.before.get(change.control));
  return {
    ...change,
    title: line(change.title, TITLE_LENGTH),
    fate: 'told',
    downSince: null,
    addedUp: null,
    failing: failing ?? null,
    decision: decision && plainDecision(decision, html),
    previousControl: change.kind === 'renamed' ? (before?.name ?? null) : null,
    status:
      before?.complete && after?.complete && before.status !== after.status
        ? {
            before: html.plainText(before.status, STATUS_LENGTH) ?? '',
            after: html.plainText(after.status, STATUS_LENGTH) ?? '',
          }
        : null,
    lastSynced: (after ?? before)?.lastSynced ?? null,
    service: profile?.service ?? null,
    tier: profile?.tier ?? null,
    implementationCost: profile?.implementationCost ?? null,
    userImpact: profile?.userImpact ?? null,
    ...remediationOf(profile, html),
    actionUrl: safeLink(profile?.actionUrl ?? null),
  };
}

/** @param profiles of today, like the drop's name */
export async function confirmedDrop(drop: Drop, profiles: Profiles): Promise<ConfirmedDrop> {
  const profile = profiles.get(drop.control);
  return {
    ...drop,
    ...remediationOf(profile, await htmlReader()),
    actionUrl: safeLink(profile?.actionUrl ?? null),
  };
}

/** What to do, with its links if there are any. */
function remediationOf(
  profile: Profile | undefined,
  html: HtmlReader,
): Pick<ConfirmedDrop, 'remediation' | 'remediationLinks'> {
  const { text, links } = html.linkedText(profile?.remediation ?? null, REMEDIATION_LENGTH) ?? {
    text: null,
    links: [],
  };
  return { remediation: text, ...(links.length > 0 && { remediationLinks: links }) };
}

function plainDecision(decision: Decision, html: HtmlReader): Decision {
  return {
    ...decision,
    state: line(decision.state, 80),
    by: decision.by && line(decision.by, 120),
    comment: html.plainText(decision.comment, COMMENT_LENGTH),
    ...(decision.inCatalogue === undefined ? {} : { inCatalogue: line(decision.inCatalogue, 80) }),
  };
}

export function trendDay(snapshot: Snapshot, explanation: Explanation | null): TrendDay {
  return {
    ...scoreLine(snapshot),
    moved: explanation ? explanation.earned + explanation.decided : 0,
    rescored: explanation?.rescored ?? 0,
    decided: explanation?.decided ?? 0,
  };
}

/** The running account, as a mail shows it. Null where there is no percentage to account for. */
export function mailAccount(settling: Settling, after: ScoreLine): MailAccount | null {
  const { since, healed, ...parts } = settling.account;
  if (!since || since.percentage === null || after.percentage === null) return null;
  const { gained, lost, rescored, decided, drift, silenced, muted } = parts;
  const causes = {
    gained: partOf(gained),
    lost: partOf(lost),
    rescored: partOf(rescored),
    decided: partOf(decided),
    drift: partOf(drift),
    silenced: partOf(silenced),
    muted: muted ? partOf(muted) : { percentagePoints: 0, controls: 0 },
    waiting: pendingPart(settling),
    healed: {
      percentagePoints: healed.reduce((sum, drop) => sum + drop.percentagePoints, 0),
      drops: healed,
    },
  };
  const { countedBefore } = parts;
  const explained = Object.values(causes).reduce((sum, part) => sum + part.percentagePoints, countedBefore);
  // Not the sum of the days: across a day without a percentage they say less than the whole.
  return { ...causes, countedBefore, unexplained: after.percentage - since.percentage - explained };
}

/** The picture of the first mail: where the tenant stands. */
export function startReport(newest: Snapshot, profiles: Profiles): StartReport {
  const controls = [...newest.controls.values()].map((control) => {
    const profile = profiles.get(control.name);
    return { control, profile, maximum: maximumOf(control, profile) };
  });

  const categories = new Map<
    string,
    { category: string; controls: number; points: number; maximum: number; unknown: number }
  >();
  for (const { control, maximum } of controls) {
    const { category } = control;
    const sum = categories.get(category) ?? { category, controls: 0, points: 0, maximum: 0, unknown: 0 };
    sum.controls += 1;
    sum.points += control.points;
    sum.maximum += maximum ?? control.points;
    if (maximum === null) sum.unknown += 1;
    categories.set(category, sum);
  }

  const gaps = controls
    .flatMap(({ control, profile, maximum }) =>
      maximum === null || maximum <= control.points ? [] : [gapOf(control, profile, maximum)],
    )
    .toSorted((a, b) => worth(b) - worth(a) || (a.control < b.control ? -1 : 1));

  return {
    categories: [...categories.values()]
      .toSorted((a, b) => b.maximum - b.points - (a.maximum - a.points))
      .map((sum) => ({ ...sum, maximum: sum.unknown === sum.controls ? null : sum.maximum })),
    gaps: gaps.slice(0, GAPS),
  };
}

type Gap = StartReport['gaps'][number];

function gapOf(
  control: { name: string; category: string; points: number },
  profile: Profile | undefined,
  maximum: number,
): Gap {
  return {
    control: control.name,
    title: line(profile?.title ?? control.name, TITLE_LENGTH),
    category: control.category,
    points: control.points,
    maximum,
    implementationCost: profile?.implementationCost ?? null,
    userImpact: profile?.userImpact ?? null,
    actionUrl: safeLink(profile?.actionUrl ?? null),
  };
}

/** Points still to be earned for the least effort. */
function worth({ points, maximum, implementationCost }: Gap): number {
  return (maximum - points) / effortOf(implementationCost);
}

/** 1 (low) to 3 (high), by what Microsoft says it costs; unknown counts as moderate. */
export function effortOf(implementationCost: string | null): number {
  return EFFORT[(implementationCost ?? '').toLowerCase()] ?? 2;
}
