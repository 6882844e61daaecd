import { LAG, notesBlocks, scoreBlocks } from './common.ts';
import { ambiguousTitles, idOf, titleOf, word } from './entry.ts';
import { count, day, numeral, points, score, scoreChange, sides } from './format.ts';
import { line, safeLink } from './plain-text.ts';
import type { Block, Entry, MailDocument } from './document.ts';
import type { Report, ScoreLine, StartReport } from './model.ts';

/** The mail that monitoring has started: the score, its 90 days, and what is worth most next. */
export function startDocument(report: Report): MailDocument {
  const { start } = report;
  return {
    tenant: report.name,
    title: 'Secure Score monitoring has started',
    preview: start ? trendSentence(report.trend) : '',
    blocks: [
      ...scoreBlocks(report, start ? trendSentence(report.trend) : ''),
      {
        type: 'paragraph',
        text: 'Every day is archived from now on. You get a message when recommendations lose or gain points here, when they are added, removed or re-scored, and when someone makes a decision on one. No message means that none of this happened. The next message sums up drift (as people and devices come and go) and changes that your alert settings hold back.',
      },
      ...(start ? [...categoryBlocks(start, report.after), ...gapBlocks(start)] : []),
      ...notesBlocks(report),
    ],
    footer: [LAG],
  };
}

/** Totals are rounded to two decimals, and so is each of their parts. */
const ROUNDING = 0.05;

/** "Up 9.3 percentage points since 12 Oct 2025. Lowest 52.0 % on …, highest 62.4 % on …." */
function trendSentence(trend: ScoreLine[]): string {
  const [first, last] = [trend[0], trend.at(-1)];
  if (first === undefined || last === undefined || first === last) return '';
  const level = (of: ScoreLine): number => of.percentage ?? of.points;
  const lowest = trend.reduce((a, b) => (level(b) < level(a) ? b : a));
  const highest = trend.reduce((a, b) => (level(b) > level(a) ? b : a));
  const unit = first.percentage === null || last.percentage === null ? 'points' : 'percentage points';
  const moved = scoreChange(first, last).replace(/^±.*/, '');
  const change = moved
    ? `${moved.startsWith('+') ? 'Up' : 'Down'} ${moved.slice(1)} ${unit} since ${day(first.date)}.`
    : `At the same level as on ${day(first.date)}.`;
  if (level(lowest) === level(highest)) return `Unchanged at ${score(last)} since ${day(first.date)}.`;
  return `${change} Lowest ${score(lowest)} on ${day(lowest.date)}, highest ${score(highest)} on ${day(highest.date)}.`;
}

function categoryBlocks({ categories }: StartReport, total: ScoreLine | null): Block[] {
  if (categories.length === 0) return [];
  const unknown = categories.reduce((sum, each) => sum + (each.unknown ?? 0), 0);
  // The total's own maximum is known, so its rest is what recommendations of unknown worth have.
  const known = categories.reduce((sum, each) => sum + (each.maximum ?? each.points), 0);
  const rest = total ? total.maximum - known : 0;
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
      rows: [
        ...categories.map((each) => {
          const atLeast = each.unknown ? 'at least ' : '';
          return [
            line(each.category, 32) || 'Without category',
            String(each.controls),
            each.maximum === null
              ? points(each.points)
              : `${points(each.points)} of ${atLeast}${points(each.maximum)}`,
            each.maximum === null
              ? 'unknown'
              : `${atLeast}${points(Math.max(0, each.maximum - each.points))}`,
          ];
        }),
        ...(rest > ROUNDING
          ? [[unknown > 0 ? 'Maximum unknown' : 'Not in any category', '', '', points(rest)]]
          : []),
        ...(total
          ? [
              [
                'Total',
                String(categories.reduce((sum, each) => sum + each.controls, 0)),
                `${points(total.points)} of ${points(total.maximum)}`,
                points(Math.max(0, total.maximum - total.points)),
              ],
            ]
          : []),
      ],
      ...(total ? { sum: true } : {}),
    },
    ...(unknown > 0
      ? [
          {
            type: 'paragraph' as const,
            text: `Microsoft does not state the maximum of ${count(unknown, 'recommendation', numeral(unknown))}. ${unknown === 1 ? 'It counts with the points it has' : 'They count with the points they have'} earned; the rest of ${unknown === 1 ? 'its' : 'their'} worth has a row of its own.`,
          },
        ]
      : []),
  ];
}

function gapBlocks({ gaps }: StartReport): Block[] {
  if (gaps.length === 0) return [];
  const ambiguous = ambiguousTitles(gaps);
  const entries = gaps.map((gap): Entry => {
    const effort = word(gap.implementationCost);
    const impact = word(gap.userImpact);
    return {
      tone: 'neutral',
      mark: '',
      amount: `+${points(gap.maximum - gap.points)}`,
      title: titleOf(gap),
      id: idOf(gap, ambiguous),
      share: null,
      figures: sides({ before: null, after: gap.points }, { before: null, after: gap.maximum }),
      context: [
        line(gap.category, 60),
        effort ? `effort: ${effort.toLowerCase()}` : '',
        impact ? `user impact: ${impact.toLowerCase()}` : '',
      ].filter((each) => each !== ''),
      details: [],
      notes: [],
      link: safeLink(gap.actionUrl),
      weight: gap.maximum - gap.points,
    };
  });
  return [
    { type: 'heading', level: 2, text: 'Most points for the least effort' },
    { type: 'entries', entries },
  ];
}
