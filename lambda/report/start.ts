import { LAG, notesBlocks, scoreBlocks } from './common.ts';
import { ambiguousTitles, idOf, titleOf, word } from './entry.ts';
import { count, day, daysBetween, points, score, scoreChange, scoreStep, shortDay, sides } from './format.ts';
import { line, safeLink } from './plain-text.ts';
import type { Block, Cell, Entry, MailDocument } from './document.ts';
import type { Report, ScoreLine, StartReport } from './model.ts';

/** The mail that monitoring has started: where the tenant stands, how it came there, and what is worth most next. */
export function startDocument(report: Report): MailDocument {
  const { start } = report;
  return {
    tenant: report.name,
    title: 'Secure Score monitoring has started',
    preview: start ? trendSentence(report.trend) : '',
    blocks: [
      ...scoreBlocks(report),
      {
        type: 'paragraph',
        text: 'From now on every day is kept, and you hear of it when recommendations lose or gain points, or when they come and go. No mail means that nothing changed.',
      },
      ...(start ? [...trendBlocks(report.trend), ...categoryBlocks(start), ...gapBlocks(start)] : []),
      ...notesBlocks(report),
    ],
    footer: [LAG],
  };
}

function trendBlocks(trend: ScoreLine[]): Block[] {
  if (trend.length < 2) return [];
  const rows = sampled(trend).map((each, index, all): Cell[] => {
    const previous = all[index - 1];
    return [
      shortDay(each.date),
      ...(each.percentage === null ? [''] : [{ bar: each.percentage / 100 }]),
      score(each),
      previous ? scoreStep(previous, each) : '',
    ];
  });
  return [
    { type: 'heading', level: 2, text: `The last ${count(spanOf(trend) + 1, 'day')}` },
    { type: 'paragraph', text: trendSentence(trend) },
    {
      type: 'table',
      columns: [
        { label: 'Snapshot', align: 'left' },
        { label: '', align: 'left' },
        { label: 'Score', align: 'right' },
        { label: 'Change', align: 'right' },
      ],
      rows,
    },
  ];
}

/** "Up 9.3 percentage points since 12 Oct 2025. Lowest 52.0 % on …, highest 62.4 % on …." */
function trendSentence(trend: ScoreLine[]): string {
  const [first, last] = [trend[0], trend.at(-1)];
  if (first === undefined || last === undefined || first === last) return '';
  const level = (of: ScoreLine): number => of.percentage ?? of.points;
  const lowest = trend.reduce((a, b) => (level(b) < level(a) ? b : a));
  const highest = trend.reduce((a, b) => (level(b) > level(a) ? b : a));
  const unit = first.percentage === null || last.percentage === null ? 'points' : 'percentage points';
  const change = `${scoreChange(first, last)} ${unit} since ${day(first.date)}.`;
  if (level(lowest) === level(highest)) return `${change} It stood at ${score(last)} all the time.`;
  return `${change} Lowest ${score(lowest)} on ${day(lowest.date)}, highest ${score(highest)} on ${day(highest.date)}.`;
}

/** One day a week, counted back from the newest; every day of a short trend. The first day always. */
function sampled(trend: ScoreLine[]): ScoreLine[] {
  const newest = trend.at(-1);
  if (newest === undefined || spanOf(trend) <= 14) return trend;
  return trend.filter((each, index) => index === 0 || daysBetween(each.date, newest.date) % 7 === 0);
}

function spanOf(trend: ScoreLine[]): number {
  return daysBetween(trend[0]?.date ?? '', trend.at(-1)?.date ?? '') || 0;
}

function categoryBlocks({ categories }: StartReport): Block[] {
  if (categories.length === 0) return [];
  return [
    { type: 'heading', level: 2, text: 'By category' },
    {
      type: 'table',
      columns: [
        { label: 'Category', align: 'left' },
        { label: 'Count', align: 'right' },
        { label: 'Points', align: 'right' },
        { label: 'Still to earn', align: 'right' },
      ],
      rows: categories.map((each) => [
        line(each.category, 32) || 'Without category',
        String(each.controls),
        each.maximum === null ? points(each.points) : `${points(each.points)} of ${points(each.maximum)}`,
        each.maximum === null ? 'unknown' : points(Math.max(0, each.maximum - each.points)),
      ]),
    },
  ];
}

function gapBlocks({ gaps }: StartReport): Block[] {
  if (gaps.length === 0) return [];
  const ambiguous = ambiguousTitles(gaps);
  const entries = gaps.map((gap): Entry => {
    const effort = word(gap.implementationCost);
    return {
      tone: 'neutral',
      mark: '',
      amount: `+${points(gap.maximum - gap.points)}`,
      title: titleOf(gap),
      id: idOf(gap, ambiguous),
      figures: sides({ before: null, after: gap.points }, { before: null, after: gap.maximum }),
      context: [line(gap.category, 60), effort ? `effort: ${effort.toLowerCase()}` : ''].filter(
        (each) => each !== '',
      ),
      details: [],
      note: null,
      link: safeLink(gap.actionUrl),
      weight: gap.maximum - gap.points,
    };
  });
  return [
    { type: 'heading', level: 2, text: 'Most points still to be earned' },
    { type: 'entries', entries },
  ];
}
