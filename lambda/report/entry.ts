import { decisionSentence, localDay } from './decision.ts';
import { count, daysBetween, NOISE, points, pointsChange, share, shortDay, sides } from './format.ts';
import { line, linksWithin, prose, safeLink } from './plain-text.ts';
import type { Detail, Entry, Tone } from './document.ts';
import type { Report, ReportedChange } from './model.ts';
import type { ChangeKind } from '../score/change.ts';

/** Bounds, in UTF-16 units, of the texts of a row: room for any real one, none for a flood. */
const LONGEST = { title: 200, id: 120, word: 60, status: 300, remediation: 500 };

type Confirmed = Report['confirmed'][number];

/** The rows of a mail: its changes as entries, most important first. */
export interface Rows {
  /** The reported changes of a kind, without what is pending, silenced, or folded into a line. */
  of(changes: ReportedChange[], kind: ChangeKind): Entry[];
  /** Drops of earlier days that are reported now. */
  confirmed(): Entry[];
}

/**
 * @param kinds the kinds of change in the mail. A title that two of its controls share, on any day, is shown with the
 *   control's id.
 */
export function rowsOf(report: Report, kinds: ChangeKind[]): Rows {
  const reported = reportedChanges(report, kinds);
  const confirmed = kinds.includes('lost') ? report.confirmed : [];
  const ambiguous = ambiguousTitles([...reported, ...confirmed]);
  return {
    of: (changes, kind) =>
      changes
        .filter((change) => change.kind === kind && change.fate === 'told')
        .map((change) => entryOf(change, changes, ambiguous, report.timeZone))
        .toSorted(mostImportantFirst),
    confirmed: () =>
      confirmed.map((drop) => confirmedEntry(drop, report, ambiguous)).toSorted(mostImportantFirst),
  };
}

/** The reported rows of some kinds, of all days. */
export function reportedChanges({ days }: Report, kinds: readonly ChangeKind[]): ReportedChange[] {
  return days
    .flatMap(({ changes }) => changes)
    .filter(({ kind, fate }) => fate === 'told' && kinds.includes(kind));
}

export function mostImportantFirst(a: Entry, b: Entry): number {
  return b.weight - a.weight || (a.title < b.title ? -1 : 1);
}

/** Titles are not unique in the catalogue: four controls share one. */
export function ambiguousTitles(
  recommendations: { control: string | null; title: string }[],
): ReadonlySet<string> {
  const owners = new Map<string, Set<string | null>>();
  for (const each of recommendations) {
    const title = titleOf(each);
    owners.set(title, (owners.get(title) ?? new Set()).add(each.control));
  }
  return new Set([...owners].filter(([, controls]) => controls.size > 1).map(([title]) => title));
}

/** The title, or the control's id where the catalogue has none. */
export function titleOf(of: { control: string | null; title: string }): string {
  return line(of.title, LONGEST.title) || line(of.control ?? '', LONGEST.title) || 'Unnamed recommendation';
}

/** The id, if the title does not identify the control. */
export function idOf(
  of: { control: string | null; title: string },
  ambiguous: ReadonlySet<string>,
): string | null {
  return ambiguous.has(titleOf(of)) ? line(of.control ?? '', LONGEST.id) || null : null;
}

/** A word of the catalogue ("low", "Unknown", null): capitalised, null where it says nothing. */
export function word(text: string | null): string | null {
  const clean = line(text ?? '', LONGEST.word);
  return clean === '' || /^unknown$/i.test(clean) ? null : clean.charAt(0).toUpperCase() + clean.slice(1);
}

/** "−0.22 percentage points"; null where there is none. */
function shareText(percentagePoints: number): string | null {
  return Math.abs(percentagePoints) < NOISE ? null : `${share(percentagePoints)} percentage points`;
}

const LOOK: Partial<Record<ChangeKind, { mark: string; tone: Tone }>> = {
  lost: { mark: '▼', tone: 'bad' },
  gained: { mark: '▲', tone: 'good' },
  new: { mark: '+', tone: 'neutral' },
  removed: { mark: '−', tone: 'neutral' },
  renamed: { mark: '→', tone: 'neutral' },
  're-scored': { mark: '±', tone: 'neutral' },
  decided: { mark: '•', tone: 'neutral' },
};

/** @param siblings the rows of that day: another one of the same control may bear the share, and know the decision */
function entryOf(
  row: ReportedChange,
  siblings: ReportedChange[],
  ambiguous: ReadonlySet<string>,
  timeZone: string,
): Entry {
  const moved = row.kind === 'lost' || row.kind === 'gained';
  const { addedUp = null } = row;
  const change = addedUp
    ? { ...row, points: addedUp.points, percentagePoints: addedUp.percentagePoints }
    : row;
  const difference = (change.points.after ?? 0) - (change.points.before ?? 0);
  const same = siblings.filter(({ control, kind }) => control === change.control && kind !== change.kind);
  const decision = moved ? same.find(({ kind }) => kind === 'decided') : undefined;
  const percentagePoints = change.percentagePoints || (decision?.percentagePoints ?? 0);
  const causedBy = change.decision ?? (decision && decision.cause === 'decided' ? decision.decision : null);

  return {
    ...(LOOK[change.kind] ?? { mark: '', tone: 'neutral' }),
    amount: moved ? pointsChange(difference) : '',
    title: titleOf(change),
    // A rename is about ids: it always shows both.
    id: change.kind === 'renamed' ? line(change.control ?? '', LONGEST.id) : idOf(change, ambiguous),
    figures: figuresOf(change),
    share: shareText(percentagePoints),
    context: [
      ...[change.category, ...(moved ? [] : [change.service, change.tier])].map((each) =>
        line(each ?? '', LONGEST.word),
      ),
      ...(moved ? sourceNote(change, timeZone) : []),
    ].filter((each) => each !== ''),
    details: moved ? movedDetails(change) : catalogueDetails(change),
    notes: [
      ...(causedBy ? [decisionSentence(causedBy, timeZone, change.date)] : []),
      ...(addedUp?.since ? [`Small moves, added up since ${shortDay(addedUp.since)}.`] : []),
      ...(moved ? backNote(change) : []),
      ...(moved && same.some(({ kind }) => kind === 're-scored')
        ? ['Microsoft re-scored it on the same day.']
        : []),
    ],
    link: safeLink(change.actionUrl),
    weight: Math.abs(percentagePoints) || (moved ? Math.abs(difference) / 1000 : maximumOf(change) / 1000),
  };
}

function maximumOf({ maximum }: ReportedChange): number {
  return maximum.after ?? maximum.before ?? 0;
}

function figuresOf(change: ReportedChange): string {
  const { kind, points: earned, maximum } = change;
  if (kind === 're-scored') return rescoredFigures(change);
  const isWorth =
    kind === 'new' ||
    kind === 'removed' ||
    kind === 'renamed' ||
    (kind === 'decided' && earned.before === earned.after);
  return isWorth ? worth(change) : sides(earned, maximum);
}

/** "worth 10 points instead of 9; 9 → 10 earned"; of recommendations that nobody can name, "worth 3 points more in all". */
function rescoredFigures({ control, points: earned, maximum }: ReportedChange): string {
  if (control === null) {
    const more = (maximum.after ?? 0) - (maximum.before ?? 0);
    const amount = count(Math.abs(more), 'point', pointsChange(Math.abs(more)).replace('+', ''));
    return `worth ${amount} ${more < 0 ? 'less' : 'more'} in all`;
  }
  const [before, after] = [maximum.before ?? 0, maximum.after ?? 0].map((value) => points(value));
  const worthNow = `worth ${count(maximum.after ?? 0, 'point', after)} instead of ${before}`;
  if (earned.before === null || earned.after === null) return worthNow;
  return earned.before === earned.after
    ? `${worthNow}, ${points(earned.after)} earned`
    : `${worthNow}, ${points(earned.before)} → ${points(earned.after)} earned`;
}

/** What a recommendation is worth, and how much of it is earned. */
function worth(change: ReportedChange): string {
  const gone = change.kind === 'removed';
  const [earned, maximum] = gone
    ? [change.points.before, change.maximum.before]
    : [change.points.after, change.maximum.after];
  const top =
    maximum === null
      ? 'maximum unknown'
      : `${gone ? 'was worth' : 'worth'} ${count(maximum, 'point', points(maximum))}`;
  return earned === null ? top : `${top}, ${points(earned)} earned`;
}

function movedDetails(change: ReportedChange): Detail[] {
  return [
    ...statusDetails(change.status),
    // Of a gain nothing is asked any more, unless it is only a part.
    ...(change.kind === 'gained' && isFull(change) ? [] : adviceDetails('What to do', change)),
  ];
}

function isFull({ points: { after }, maximum }: ReportedChange): boolean {
  return after !== null && maximum.after !== null && after >= maximum.after;
}

function catalogueDetails(change: ReportedChange): Detail[] {
  if (change.kind === 'renamed') return detail('Formerly', change.previousControl);
  if (change.kind === 're-scored') return statusDetails(change.status);
  // Of a control that is gone, or only decided about, nothing is asked.
  if (change.kind !== 'new') return [];
  return [
    ...adviceDetails('What it asks for', change),
    ...detail('Effort', word(change.implementationCost)),
    ...detail('User impact', word(change.userImpact)),
  ];
}

/** Texts before and after; one alone where both read the same. */
function statusDetails(status: ReportedChange['status']): Detail[] {
  if (status === null) return [];
  const before = line(status.before, LONGEST.status);
  const after = line(status.after, LONGEST.status);
  if (before === after || before === '') return detail('Status', after);
  return [...detail('Before', before), ...detail('Now', after || '(no text)')];
}

/** "Back to 9 of 9 after 2 days." */
function backNote(change: ReportedChange): string[] {
  if (change.downSince === null || change.points.after === null) return [];
  const days = daysBetween(change.downSince, change.date);
  const now =
    change.maximum.after === null
      ? points(change.points.after)
      : `${points(change.points.after)} of ${points(change.maximum.after)}`;
  return [`Back to ${now} after ${count(days, 'day')}.`];
}

/**
 * "in the snapshot of 9 Jan (source synced 28 Dec)": a snapshot is built from syncs of mixed age, so the day of a change is
 * uncertain. Empty if the source is as new as the snapshot.
 */
function sourceNote(change: ReportedChange, timeZone: string): string[] {
  // It comes from Graph as it is: what does not start with a date is no date.
  const at = /^\d{4}-\d\d-\d\d(?!\d)/.test(change.lastSynced ?? '') ? (change.lastSynced ?? '') : '';
  if (!(daysBetween(at, change.date) >= 1) || Number.isNaN(Date.parse(at))) return [];
  // A day and a month alone would be read as those of this year.
  const old = daysBetween(at, change.date) > 300;
  const synced = localDay(at, timeZone, old ? '' : at);
  // East of Greenwich the evening before is the snapshot's day.
  if (synced === shortDay(change.date)) return [];
  return [`in the snapshot of ${shortDay(change.date)} (source synced ${synced})`];
}

/** A drop that was pending: "Fell on 3 Mar, still down on 5 Mar." */
function confirmedEntry(drop: Confirmed, report: Report, ambiguous: ReadonlySet<string>): Entry {
  const difference = drop.points.after - drop.points.before;
  const until = report.to?.date ?? drop.date;
  return {
    mark: '▼',
    tone: 'bad',
    amount: pointsChange(difference),
    title: titleOf(drop),
    id: idOf(drop, ambiguous),
    figures: sides(drop.points, drop.maximum),
    share: shareText(drop.percentagePoints),
    context: [line(drop.category ?? '', LONGEST.word)].filter((each) => each !== ''),
    details: adviceDetails('What to do', drop),
    notes: [
      `Fell on ${shortDay(drop.date)}, ${sinceThen(drop, report) ?? `still down on ${shortDay(until)}`}.`,
    ],
    link: safeLink(drop.actionUrl),
    weight: Math.abs(drop.percentagePoints) || Math.abs(difference) / 1000,
  };
}

/** An event after which the drop can no longer heal, so that it is reported at once. */
function sinceThen(drop: Confirmed, report: Report): string | null {
  const WORDS: Partial<Record<ChangeKind, string>> = {
    removed: 'and was removed',
    're-scored': 'and was re-scored',
    decided: 'before a decision',
  };
  for (const { date, changes } of report.days) {
    if (date <= drop.date) continue;
    const what = changes.find(({ control, kind }) => control === drop.control && kind in WORDS);
    if (what) return `${WORDS[what.kind]} on ${shortDay(date)}`;
  }
  return null;
}

function detail(label: string, text: string | null): Detail[] {
  const clean = text === null ? '' : prose(text, LONGEST.remediation);
  return clean === '' ? [] : [{ label, text: clean }];
}

/** @param of what to do, as a report has it; null: no detail */
export function adviceDetails(
  label: string,
  of: Pick<Confirmed, 'remediation' | 'remediationLinks'>,
): Detail[] {
  const links = of.remediationLinks ?? [];
  return detail(label, of.remediation).map((each) => ({
    ...each,
    isAdvice: true,
    ...(links.length > 0 && { links: linksWithin(links, of.remediation ?? '', each.text) }),
  }));
}
