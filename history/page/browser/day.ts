import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';
import { day as fullDay, score } from '../../../lambda/report/format.ts';
import { accountOf, type Move } from '../model.ts';
import type { Change, History } from '../wire.ts';
import { columns, keyOf } from './changes.ts';
import { Causes } from './summary.ts';
import { Table } from './table.ts';
import { counted, tenths, toneOf } from './words.ts';

interface DayPanelProps {
  history: History;
  moves: Move[];
  changes: Change[];
  /** Place in `days`. */
  day: number;
  /** It was opened by the keys: they go on here. */
  focus: boolean;
  onGo: (day: number) => void;
  onClose: () => void;
}

const own = columns.filter(({ name }) => name !== 'date');

/** What happened on a day. */
export function DayPanel({ history, moves, changes, day, focus, onGo, onClose }: DayPanelProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const at = history.days[day]!;
  const move = moves[day]!;
  const account = day > 0 ? accountOf(history, moves, day - 1, day) : null;
  const before = moves.findLastIndex((each, index) => index < day && each.changes > 0);
  const after = moves.findIndex((each, index) => index > day && each.changes > 0);
  useEffect(() => {
    if (focus) heading.current?.focus();
  }, [day, focus]);
  return html`
    <section
      class="card day-panel"
      aria-labelledby="day-heading"
      onKeyDown=${(event: KeyboardEvent) => event.key === 'Escape' && onClose()}
    >
      <div class="day-head">
        <h2 id="day-heading" tabindex="-1" ref=${heading}>
          ${fullDay(at.date)}
          <span class="day-score">
            ${score(at)}${' '}
            ${move.total !== null && html`<span class=${toneOf(move.total)}>${tenths(move.total)}</span>`}
          </span>
        </h2>
        <div class="no-print day-buttons">
          <button type="button" disabled=${before === -1} onClick=${() => onGo(before)}>
            ← Change before
          </button>
          <button type="button" disabled=${after === -1} onClick=${() => onGo(after)}>Next change →</button>
          <button type="button" onClick=${onClose}>Close</button>
        </div>
      </div>
      ${account && html`<${Causes} account=${account} />`}
      <${Table}
        caption=${`Changes of ${fullDay(at.date)}`}
        columns=${own}
        rows=${changes}
        rowKey=${keyOf}
        sort=""
        empty=${day === 0 ? 'Monitoring began on this day.' : 'Nothing changed on this day.'}
      />
      <p class="hidden" role="status">${`${fullDay(at.date)}: ${counted(changes.length, 'change')}`}</p>
    </section>
  `;
}
