import { count, points, pointsChange, shortDay, day, daysBetween, sides } from './format.ts';
import { line, prose, safeLink } from './plain-text.ts';
import type { Detail, Entry, Tone } from './document.ts';
import type { Report, ReportedChange } from './model.ts';
import type { ChangeKind } from '../score/change.ts';

/** Bounds, in UTF-16 units, of the texts of a row: room for any real one, none for a flood. */
const LONGEST = { title: 200, id: 120, word: 60, status: 300, remediation: 500 };

/** The rows of a mail: its changes as entries, most important first. */
export interface Rows {
  of(changes: ReportedChange[], kind: ChangeKind): Entry[];
}

/**
 * @param kinds the kinds of change that the mail tells. A title that two of its controls share, on whatever day,
 *   is told together with the control's id.
 */
export function rowsOf(report: Report, kinds: ChangeKind[]): Rows {
  const told = report.days.flatMap((each) => each.changes).filter((change) => kinds.includes(change.kind));
  const ambiguous = ambiguousTitles(told);
  return {
    of: (changes, kind) =>
      changes
        .filter((change) => change.kind === kind)
        .map((change) => entryOf(change, ambiguous))
        .toSorted((a, b) => b.weight - a.weight || (a.title < b.title ? -1 : 1)),
  };
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

/** The id, where the title alone does not say which control it is. */
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

const LOOK: Partial<Record<ChangeKind, { mark: string; tone: Tone }>> = {
  lost: { mark: '▼', tone: 'bad' },
  gained: { mark: '▲', tone: 'good' },
  new: { mark: '+', tone: 'neutral' },
  removed: { mark: '−', tone: 'neutral' },
  renamed: { mark: '→', tone: 'neutral' },
};

function entryOf(change: ReportedChange, ambiguous: ReadonlySet<string>): Entry {
  const moved = change.kind === 'lost' || change.kind === 'gained';
  const difference = (change.points.after ?? 0) - (change.points.before ?? 0);
  return {
    ...(LOOK[change.kind] ?? { mark: '', tone: 'neutral' }),
    amount: moved ? pointsChange(difference) : '',
    title: titleOf(change),
    // A rename is about ids: it always shows both.
    id: change.kind === 'renamed' ? line(change.control ?? '', LONGEST.id) : idOf(change, ambiguous),
    figures: moved ? sides(change.points, change.maximum) : worth(change),
    context: [change.category, ...(moved ? [] : [change.service, change.tier])]
      .map((each) => line(each ?? '', LONGEST.word))
      .filter((each) => each !== ''),
    details: moved ? movedDetails(change) : catalogueDetails(change),
    note: moved ? sourceNote(change) : null,
    link: safeLink(change.actionUrl),
    weight: moved ? Math.abs(difference) : (change.maximum.after ?? change.maximum.before ?? 0),
  };
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
    ...detail('Status', change.status && statusOf(change.status)),
    ...detail('What to do', change.remediation),
  ];
}

function catalogueDetails(change: ReportedChange): Detail[] {
  return [
    ...detail('Formerly', change.previousControl),
    // Of a control that is gone, nothing is asked any more.
    ...(change.kind === 'removed' || change.kind === 'renamed'
      ? []
      : [
          ...detail('What it asks for', change.remediation),
          ...detail('Effort', word(change.implementationCost)),
          ...detail('User impact', word(change.userImpact)),
        ]),
  ];
}

/** Texts before and after; one alone where both read the same. */
function statusOf(status: { before: string; after: string }): string {
  const before = line(status.before, LONGEST.status);
  const after = line(status.after, LONGEST.status);
  if (before === after || before === '') return after;
  return `${before} → ${after || '(no text)'}`;
}

/**
 * "In the snapshot of 9 Jan (source synced 28 Dec)": a snapshot is built from syncs of mixed age, so that nobody
 * knows on which day something changed. Null where the source is as new as the snapshot.
 */
function sourceNote(change: ReportedChange): string | null {
  // It comes from Graph as it is: what does not start with a date is no date.
  const date = /^\d{4}-\d\d-\d\d(?!\d)/.exec(change.lastSynced ?? '')?.[0];
  const age = date === undefined ? Number.NaN : daysBetween(date, change.date);
  if (date === undefined || !(age >= 1)) return null;
  // A day and a month alone would be read as those of this year.
  const synced = age > 300 ? day(date) : shortDay(date);
  return `In the snapshot of ${shortDay(change.date)} (source synced ${synced})`;
}

function detail(label: string, text: string | null): Detail[] {
  const clean =
    text === null ? '' : prose(text, label === 'Status' ? 2 * LONGEST.status + 3 : LONGEST.remediation);
  return clean === '' ? [] : [{ label, text: clean }];
}
