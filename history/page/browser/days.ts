import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { day as fullDay, points, signedUnits } from '../../../lambda/report/format.ts';
import { printedMove, type Move, type Span } from '../model.ts';
import type { Route } from '../route.ts';
import type { Day, History } from '../wire.ts';
import { Table, type Column } from './table.ts';
import { counted, percent, type Drawn } from './words.ts';

interface DaysProps {
  history: History;
  moves: Move[];
  span: Span;
  route: Route;
  go: (change: Partial<Route>, step?: boolean) => void;
}

interface Row {
  day: Day;
  move: Move;
}

/** The chart as a table, for those who cannot see it and for exact figures. */
export function Days({ history, moves, span, route, go }: DaysProps) {
  const rows = useMemo(
    () => history.days.map((day, index): Row => ({ day, move: moves[index]! })).slice(span.from, span.to + 1),
    [history, moves, span.from, span.to],
  );
  const isExplained = rows.every(({ move }) => (printedMove(move)?.rest ?? 0) === 0);
  const columns = useMemo(() => columnsOf((day) => go({ day }, true), isExplained), [go, isExplained]);
  return html`
    <p class="result soft">${counted(rows.length, 'day')}${leftOut(history)}</p>
    <${Table}
      caption="The score, day by day"
      columns=${columns}
      rows=${rows}
      rowKey=${({ day }: Row) => day.date}
      sort=${route.sort ?? '-date'}
      onSort=${(sort: string) => go({ sort })}
      empty="There is no day."
    />
  `;
}

/** Days that no comparison counts are named, not hidden. */
function leftOut({ leftOut: dates }: History): string {
  if (dates.length === 0) return '';
  const named = dates.slice(-3).map((date) => fullDay(date));
  const others = dates.length > 3 ? ` and ${dates.length - 3} earlier` : '';
  return `. Left out because the answer was partial: ${named.join(', ')}${others}.`;
}

/** In hundredths of a percentage point: as printed, the parts of a day add up. */
function amount(move: Move, part: 'total' | 'here' | 'microsoft' | 'rest'): Drawn {
  const hundredths = printedMove(move)?.[part] ?? 0;
  return hundredths === 0 ? html`<span class="soft">–</span>` : signedUnits(hundredths, 2);
}

/** @param isExplained no day has anything that is not explained: then no column is needed for it */
function columnsOf(open: (date: string) => void, isExplained: boolean): Column<Row>[] {
  return [
    {
      name: 'date',
      label: 'Day',
      sort: ({ day }) => day.date,
      descending: true,
      cell: ({ day }) => fullDay(day.date),
    },
    {
      name: 'score',
      label: 'Score',
      number: true,
      sort: ({ day }) => day.percentage ?? -1,
      descending: true,
      cell: ({ day }) => percent(day.percentage, 2),
    },
    {
      name: 'total',
      label: 'Change',
      number: true,
      sort: ({ move }) => move.total ?? 0,
      descending: true,
      cell: ({ move }) => amount(move, 'total'),
    },
    {
      name: 'here',
      label: 'Here',
      number: true,
      cell: ({ move }) => amount(move, 'here'),
    },
    { name: 'microsoft', label: 'Microsoft', number: true, cell: ({ move }) => amount(move, 'microsoft') },
    ...(isExplained
      ? []
      : [
          {
            name: 'rest',
            label: 'Not explained',
            number: true,
            cell: ({ move }: Row) => amount(move, 'rest'),
          },
        ]),
    {
      name: 'points',
      label: 'Points',
      number: true,
      cell: ({ day }) => `${points(day.points)} of ${points(day.maximum)}`,
    },
    { name: 'peers', label: 'Similar size', number: true, cell: ({ day }) => percent(day.peersSimilar) },
    {
      name: 'changes',
      label: 'Changes',
      number: true,
      sort: ({ move }) => move.changes,
      descending: true,
      cell: ({ day, move }) =>
        move.changes === 0
          ? html`<span class="soft">–</span>`
          : html`<button
              type="button"
              class="link"
              aria-label=${`${counted(move.changes, 'change')} on ${fullDay(day.date)}`}
              onClick=${() => open(day.date)}
            >
              ${move.changes}
            </button>`,
    },
  ];
}
