import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { area, line } from 'd3-shape';
import { day as fullDay, points, score, share as signedShare } from '../../../lambda/report/format.ts';
import { whose } from '../../../lambda/report/chart/marks.ts';
import { stepCurve, withCorners } from '../../../lambda/report/chart/steps.ts';
import { caption, marksOf, moveOf, type Caption, type Mark, type Move, type Span } from '../model.ts';
import type { Change, Day, History } from '../wire.ts';
import { placeLabels } from './labels.ts';
import { domainOf, Plot, px, useMedia, type Scale } from './plot.ts';
import { counted, cut, kindOf, percent, percentTick, tenths, toneOf, type Drawn } from './words.ts';

/** A line beside the score. */
export interface Series {
  name: string;
  /** Class of its colour. */
  colour: string;
  dashed: boolean;
  /** Per cent, a value a day. */
  values: (number | null)[];
}

interface TrendProps {
  history: History;
  moves: Move[];
  changesOf: Map<string, Change[]>;
  span: Span;
  series: Series[];
  picked: number | null;
  onPick: (day: number, by: 'pointer' | 'keys') => void;
  onZoom: (span: Span) => void;
}

/** The score over the days shown, with what moved it. */
export function Trend({ history, moves, changesOf, span, series, picked, onPick, onZoom }: TrendProps) {
  const { days } = history;
  const narrow = useMedia('(max-width: 640px)');
  const shown = days.slice(span.from, span.to + 1);
  const domain = useMemo(() => {
    const own = shown.flatMap(({ percentage }) => percentage ?? []);
    const others = series.flatMap(({ values }) =>
      values.slice(span.from, span.to + 1).flatMap((value) => value ?? []),
    );
    return domainOf([...own, ...others], 4);
  }, [history, span.from, span.to, series]);
  const stops = useMemo(() => moves.flatMap((move, index) => (move.changes > 0 ? [index] : [])), [moves]);

  const layers = useMemo(() => {
    const marks = marksOf(history, moves, span.from, span.to, narrow ? 4 : 7);
    const captions = new Map(
      (narrow ? [] : marks).map((mark) => [mark, caption(changesOf.get(days[mark.day]!.date) ?? [], mark)]),
    );
    return (scale: Scale) => drawLayers({ history, moves, span, series, marks, captions }, scale);
  }, [history, moves, span.from, span.to, series, narrow]);

  const describe = (index: number) => {
    const day = days[index]!;
    const move = moves[index]!;
    const parts = [`${fullDay(day.date)}: ${score(day)}`];
    if (move.total !== null) parts.push(`${tenths(move.total)} percentage points`);
    parts.push(move.changes > 0 ? counted(move.changes, 'change') : 'no changes');
    for (const { name, values } of series) parts.push(`${name} ${percent(values[index] ?? null)}`);
    return parts.join(', ');
  };
  const tip = (index: number) => html`
    <${DayTip}
      day=${days[index]}
      move=${moves[index]}
      changes=${changesOf.get(days[index]!.date) ?? []}
      others=${series.map((each) => ({ series: each, value: each.values[index] ?? null }))}
    />
  `;
  return html`
    <${Plot}
      name="Secure Score, day by day"
      days=${days}
      span=${span}
      domain=${domain}
      tick=${percentTick}
      height=${narrow ? 260 : 360}
      quiet=${[days[span.to]!.percentage]}
      right=${narrow ? 64 : 70}
      layers=${layers}
      describe=${describe}
      tip=${tip}
      dots=${(index: number) => [days[index]!.percentage, ...series.map(({ values }) => values[index] ?? null)]}
      stops=${stops}
      picked=${picked}
      onPick=${onPick}
      onZoom=${onZoom}
    />
  `;
}

function DayTip(props: {
  day: Day;
  move: Move;
  changes: Change[];
  others: { series: Series; value: number | null }[];
}) {
  const { day, move, changes, others } = props;
  const largest = changes.toSorted((a, b) => Math.abs(b.share) - Math.abs(a.share)).slice(0, 3);
  const more = changes.length - largest.length;
  return html`
    <p class="tip-day">${fullDay(day.date)}</p>
    <p class="tip-score">
      <strong>${score(day)}</strong>${' '}
      ${move.total !== null && html`<span class=${toneOf(move.total)}>${tenths(move.total)}</span>`}
    </p>
    <p class="soft">${points(day.points)} of ${points(day.maximum)} points</p>
    ${others.map(
      ({ series: { name, colour, dashed }, value }) =>
        value !== null &&
        html`<p class="tip-line">
          <span class=${`key ${dashed ? 'dashed' : ''} ${colour}`}></span>${`${name} ${percent(value)}`}
        </p>`,
    )}
    ${
      largest.length > 0 &&
      html`<ul>
        ${largest.map(
          ({ kind, title, share }) => html`
            <li>
              <span class=${`mark ${kindOf(kind).tone}`}>${kindOf(kind).mark}</span>
              <span>${cut(title, 70)}</span>
              ${share !== 0 && html`<span class="amount">${signedShare(share)}</span>`}
            </li>
          `,
        )}
      </ul>`
    }
    ${more > 0 && html`<p class="soft">${`and ${more} more`}</p>`}
  `;
}

interface Layers {
  history: History;
  moves: Move[];
  span: Span;
  series: Series[];
  marks: Mark[];
  captions: Map<Mark, Caption | null>;
}

function drawLayers({ history, moves, span, series, marks, captions }: Layers, scale: Scale): Drawn {
  const { days } = history;
  const own = days.map(({ percentage }) => percentage);
  const runs = runsOf(days, own, span);
  const x = (index: number) => scale.x(index);
  const y = (index: number) => scale.y(own[index]!);
  // Nobody knows how it stood in a gap: no step.
  const straight = line<number>(x, y).digits(1);
  const stroke = line<number>(x, y).curve(stepCurve).digits(1);
  const below = area<number>(x, scale.bottom, y).curve(stepCurve).digits(1);
  const last = runs.at(-1)?.at(-1);
  const at = (index: number) => ({ x: x(index), y: y(index) });
  const onLine = withCorners(runs.flat().map(at));

  return html`
    <defs>
      <linearGradient id="fade" x1="0" y1="0" x2="0" y2="1">
        <stop class="fade-top" offset="0" />
        <stop class="fade-bottom" offset="1" />
      </linearGradient>
    </defs>
    ${runs.map((run) => run.length > 1 && html`<path class="area" d=${below(run)} />`)}
    <path class="rug here" d=${rug(moves, span, scale, false)} />
    <path class="rug microsoft" d=${rug(moves, span, scale, true)} />
    ${series.map((each) => drawSeries(each, days, span, scale))}
    ${runs
      .slice(1)
      .map((run, index) => html`<path class="gap" d=${straight([runs[index]!.at(-1)!, run[0]!])} />`)}
    ${runs.map((run) => html`<path class="line" d=${stroke(run)} />`)} ${drawNames(series, span, scale)}
    ${placeLabels(marks, captions, onLine, ({ day }) => at(day), scale).map(
      ({ mark, label }) => html`
        ${
          label?.leader &&
          html`<line
            class="leader"
            x1=${px(x(mark.day))}
            x2=${px(x(mark.day))}
            y1=${px(label.leader.from)}
            y2=${px(label.leader.to)}
          />`
        }
        <${Symbol} by=${mark.by} x=${x(mark.day)} y=${y(mark.day)} />
        ${
          label &&
          html`<text class="label" x=${px(label.x)} y=${px(label.y)} text-anchor=${label.anchor}
            >${label.text}</text
          >`
        }
      `,
    )}
    ${
      last !== undefined &&
      html`
        ${
          // The newest day may be marked itself.
          !marks.some(({ day }) => day === last) &&
          html`<circle class="end" cx=${px(x(last))} cy=${px(y(last))} r="4.5" />`
        }
        <text class="label last" x=${px(scale.right + 10)} y=${px(y(last) + 5.5)}
          >${percent(own[last]!)}</text
        >
      `
    }
  `;
}

/** A stroke at the foot for each day with changes, by who moved more. */
function rug(moves: Move[], span: Span, scale: Scale, byMicrosoft: boolean): string {
  return moves
    .map((move, index) => {
      if (index <= span.from || index > span.to || move.changes === 0) return '';
      const microsoft = whose(moveOf(move)) === 'microsoft';
      return microsoft === byMicrosoft ? `M${px(scale.x(index))} ${scale.bottom - 7}v7` : '';
    })
    .join('');
}

/** A circle for what was done here, a diamond for what Microsoft did: distinct in grey as well. */
export function Symbol({ by, x, y }: { by: Mark['by']; x: number; y: number }) {
  return by === 'here'
    ? html`<circle class="mark-here" cx=${px(x)} cy=${px(y)} r="4.5" />`
    : html`<path class="mark-microsoft" d=${`M${px(x)} ${px(y - 6.5)}l6.5 6.5l-6.5 6.5l-6.5 -6.5z`} />`;
}

function drawSeries({ colour, dashed, values }: Series, days: Day[], span: Span, scale: Scale): Drawn {
  const path = line<number>(
    (index) => scale.x(index),
    (index) => scale.y(values[index]!),
  )
    .curve(stepCurve)
    .digits(1);
  return runsOf(days, values, span).map(
    (run) => html`<path class=${`series ${colour} ${dashed ? 'dashed' : ''}`} d=${path(run)} />`,
  );
}

/** A line's name stands at its beginning: above it, or below where another one is. */
function drawNames(series: Series[], span: Span, scale: Scale): Drawn {
  const taken: number[] = [];
  return series.map(({ name, colour, values }) => {
    const first = values.findIndex((value, index) => index >= span.from && value !== null);
    const value = values[first];
    if (first > span.to || value === null || value === undefined) return null;
    const y = [scale.y(value) - 9, scale.y(value) + 18].find((each) =>
      taken.every((other) => Math.abs(other - each) > 15),
    );
    if (y === undefined) return null;
    taken.push(y);
    return html`<text class=${`label small ${colour}`} x=${px(scale.x(first) + 2)} y=${px(y)}>${name}</text>`;
  });
}

/** Days in a row that have a value; where days are missing, no line is drawn as if they were known. */
export function runsOf(days: Day[], values: (number | null)[], span: Span): number[][] {
  const runs: number[][] = [];
  for (let index = span.from; index <= span.to; index += 1) {
    if (values[index] === null || values[index] === undefined) continue;
    const previous = runs.at(-1)?.at(-1);
    if (previous !== undefined && days[index]!.number - days[previous]!.number <= 2) runs.at(-1)!.push(index);
    else runs.push([index]);
  }
  return runs;
}
