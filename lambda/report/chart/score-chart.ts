import { html } from 'htm/preact';
import { renderToString } from 'preact-render-to-string';
import { nice, ticks as ticksOf } from 'd3-array';
import { area, line as lineOf } from 'd3-shape';
import { daysBetween, score, shortDay } from '../format.ts';
import {
  CHART_SIZE,
  extremes,
  LEAST_SPAN,
  step,
  type ChartDay,
  type Mark,
  type ScoreChart,
} from './chart-of.ts';
import { colour, type Theme } from './palette.ts';
import { stepCurve, withCorners } from './steps.ts';

/*
 * The chart of the score: data in, SVG out. No I/O, no fonts, no canvas: the mail makes a picture of it, the history
 * page shows it as it is.
 */

const MARGIN = { top: 44, right: 90, bottom: 34, left: 2 };

/** Letters, in CSS pixels. They shrink with the picture on a phone. */
const SIZE = { axis: 16, mark: 16, title: 17, last: 20 };

/** About the width of a letter of Inter, in em. */
const EM = 0.6;

/** The chart as an SVG document. The same chart gives the same bytes. */
export function drawScoreChart(chart: ScoreChart, theme: Theme, size = CHART_SIZE): string {
  const { days, marks } = chart;
  const [first, last] = [days[0]!, days.at(-1)!];
  const { lowest, highest } = extremes(days);
  const paint = (name: Parameters<typeof colour>[0]) => colour(name, theme);

  const x = scale(
    [Date.parse(first.date), Date.parse(last.date)],
    [MARGIN.left + 6, size.width - MARGIN.right],
  );
  const domain = domainOf(lowest.percentage, highest.percentage);
  const y = scale(domain, [size.height - MARGIN.bottom, MARGIN.top]);
  const at = (of: ChartDay) => ({ x: x(Date.parse(of.date)), y: y(of.percentage) });
  const floor = size.height - MARGIN.bottom;
  const end = at(last);

  const curve = lineOf<ChartDay>(
    (of) => at(of).x,
    (of) => at(of).y,
  )
    .curve(stepCurve)
    .digits(1);
  const below = area<ChartDay>(
    (of) => at(of).x,
    floor,
    (of) => at(of).y,
  )
    .curve(stepCurve)
    .digits(1);
  const runs = runsOf(days);

  const ticks = ticksOf(...domain, 4);
  const grid = ticks.map((tick) => {
    const hidden = Math.abs(y(tick) - end.y) < SIZE.last;
    return html`
      <line
        x1=${MARGIN.left}
        x2=${size.width - MARGIN.right}
        y1=${px(y(tick))}
        y2=${px(y(tick))}
        stroke=${paint('rule')}
      />
      ${
        !hidden &&
        html`<text
          x=${size.width - MARGIN.right + 12}
          y=${px(y(tick) + 5)}
          font-size=${SIZE.axis}
          fill=${paint('soft')}
        >
          ${`${tick} %`}
        </text>`
      }
    `;
  });
  const labels = dateTicks(first.date, last.date).map((date, index, all) => {
    const anchor = x(Date.parse(date)) < 30 ? 'start' : 'middle';
    return html`<text
      x=${px(anchor === 'start' ? MARGIN.left : x(Date.parse(date)))}
      y=${size.height - 8}
      text-anchor=${anchor}
      font-size=${SIZE.axis}
      fill=${paint('soft')}
      key=${index / all.length}
    >
      ${shortDay(date)}
    </text>`;
  });

  return renderToString(html`
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width=${size.width}
      height=${size.height}
      viewBox=${`0 0 ${size.width} ${size.height}`}
      font-family="Inter, sans-serif"
    >
      <defs>
        <linearGradient id=${`fade-${theme}`} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stop-color=${paint('bar')} stop-opacity="0.22" />
          <stop offset="1" stop-color=${paint('bar')} stop-opacity="0.02" />
        </linearGradient>
      </defs>
      <rect width=${size.width} height=${size.height} fill=${paint('card')} />
      <text x=${MARGIN.left} y="18" font-size=${SIZE.title} font-weight="600" fill=${paint('ink')}>
        ${`Last ${daysBetween(first.date, last.date) + 1} days`}
      </text>
      ${legend(marks, size.width, paint)} ${grid}
      ${runs.map((run) => run.length > 1 && html`<path d=${below(run)} fill=${`url(#fade-${theme})`} />`)}
      ${runs.slice(1).map((run, index) => {
        // The score is unknown between the two days, so no step is drawn.
        const [from, to] = [at(runs[index]!.at(-1)!), at(run[0]!)];
        return html`<path
          d=${`M${px(from.x)} ${px(from.y)}L${px(to.x)} ${px(to.y)}`}
          fill="none"
          stroke=${paint('soft')}
          stroke-width="2"
          stroke-dasharray="2 5"
          stroke-linecap="round"
        />`;
      })}
      ${runs.map((run) => html`<path d=${curve(run)} fill="none" stroke=${paint('bar')} stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round" />`)}
      ${placed(chart, at, size).map(
        ({ mark, label }) => html`
          ${shapeOf(mark.by, at(mark.day), paint)}
          ${
            label &&
            html`<text
              x=${px(label.x)}
              y=${px(label.y)}
              text-anchor="middle"
              font-size=${SIZE.mark}
              font-weight="600"
              fill=${paint('ink')}
              stroke=${paint('card')}
              stroke-width="4"
              stroke-linejoin="round"
              paint-order="stroke"
            >
              ${step(mark.change)}
            </text>`
          }
        `,
      )}
      ${
        marks.some(({ day: of, by }) => of === last && by === 'microsoft')
          ? null
          : html`<circle cx=${px(end.x)} cy=${px(end.y)} r="5" fill=${paint('bar')} />`
      }
      <text
        x=${px(end.x + 11)}
        y=${px(end.y + 7)}
        font-size=${SIZE.last}
        font-weight="600"
        fill=${paint('bar')}
      >
        ${score(last)}
      </text>
      ${labels}
    </svg>
  `)
    .replace(/>\s+</g, '><')
    .replace(/>\s+([^<]*?)\s+<\/text>/g, '>$1</text>');
}

type Paint = (name: Parameters<typeof colour>[0]) => string;
type Point = { x: number; y: number };

/** A circle for what was done here, a diamond for what Microsoft did, so that they differ without colour as well. */
function shapeOf(by: Mark['by'], { x, y }: Point, paint: Paint) {
  return by === 'here'
    ? html`<circle
        cx=${px(x)}
        cy=${px(y)}
        r="5"
        fill=${paint('card')}
        stroke=${paint('bar')}
        stroke-width="2.5"
      />`
    : html`<path
        d=${`M${px(x)} ${px(y - 7)}l7 7l-7 7l-7 -7z`}
        fill=${paint('ink')}
        stroke=${paint('card')}
        stroke-width="1.5"
      />`;
}

function legend(marks: Mark[], width: number, paint: Paint) {
  const items = (['here', 'microsoft'] as const)
    .filter((by) => marks.some((mark) => mark.by === by))
    .map((by) => ({ by, text: by === 'here' ? 'moved here' : 're-scored by Microsoft' }));
  let right = width - 4;
  return items.toReversed().map(({ by, text }) => {
    const left = right - text.length * SIZE.axis * 0.53;
    right = left - 32;
    return html`
      ${shapeOf(by, { x: left - 12, y: 13 }, paint)}
      <text x=${px(left)} y="18" font-size=${SIZE.axis} fill=${paint('soft')}>${text}</text>
    `;
  });
}

interface Placed {
  mark: Mark;
  /** Its middle; null where there is no room. */
  label: Point | null;
}

/**
 * Labels stand above a rise and below a fall, unless something is there already; those of the newest day left of it. The
 * largest moves choose first.
 */
function placed({ days, marks }: ScoreChart, at: (of: ChartDay) => Point, size: typeof CHART_SIZE): Placed[] {
  const line = withCorners(days.map(at));
  const end = line.at(-1)!;
  const right = size.width - MARGIN.right + 4;
  const taken: Box[] = [];
  const symbols = marks.map(({ day: of }) => ({ of, ...boxAround(at(of), 8) }));
  return marks.map((mark) => {
    const point = at(mark.day);
    const half = (step(mark.change).length * SIZE.mark * EM) / 2;
    for (const dy of mark.change > 0 ? [-14, 27] : [27, -14]) {
      const x = Math.min(Math.max(point.x, half + 2), right - half);
      const label = { x, y: point.y + dy };
      const box = { left: x - half, right: x + half, top: label.y - SIZE.mark + 2, bottom: label.y + 3 };
      const free =
        box.top > 24 &&
        box.bottom < size.height - MARGIN.bottom &&
        ![...taken, ...symbols, boxAround(end, 7)].some((other) => overlap(other, box)) &&
        !crosses(line, box);
      if (!free) continue;
      taken.push(box);
      return { mark, label };
    }
    return { mark, label: null };
  });
}

/** Whether the line runs through a box: looked at every pixel, not at the days alone, as it is steep. */
function crosses(line: Point[], box: Box): boolean {
  return line.some((to, index) => {
    const from = line[index - 1] ?? to;
    if (to.x < box.left || from.x > box.right) return false;
    const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 2));
    return Array.from({ length: steps + 1 }, (_, each) => each / steps).some((part) => {
      const on = { x: from.x + part * (to.x - from.x), y: from.y + part * (to.y - from.y) };
      return on.x > box.left && on.x < box.right && on.y > box.top && on.y < box.bottom;
    });
  });
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function boxAround({ x, y }: Point, radius: number): Box {
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Days in a row; where days are missing, the line is not drawn as if they were known. */
function runsOf(days: ChartDay[]): ChartDay[][] {
  const runs: ChartDay[][] = [];
  for (const of of days) {
    const previous = runs.at(-1)?.at(-1);
    if (previous && daysBetween(previous.date, of.date) <= 2) runs.at(-1)!.push(of);
    else runs.push([of]);
  }
  return runs;
}

/** A nice range around the scores, within 0 to 100. */
function domainOf(lowest: number, highest: number): [number, number] {
  const spare = Math.max((highest - lowest) * 0.18, (LEAST_SPAN - (highest - lowest)) / 2);
  const [bottom, top] = nice(Math.max(0, lowest - spare), Math.min(100, highest + spare), 10);
  return [Math.max(0, bottom), Math.min(100, top)];
}

/** Linear. d3-scale does it too, with 40 kB of colours and formats that nothing here needs. */
function scale([from, to]: [number, number], [start, end]: [number, number]): (value: number) => number {
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

/** The first of each month; of a short time, a day a week. */
function dateTicks(first: string, last: string): string[] {
  const span = daysBetween(first, last);
  const dates = Array.from({ length: span + 1 }, (_, index) =>
    new Date(Date.parse(first) + index * 86_400_000).toISOString().slice(0, 10),
  );
  if (span > 35) return dates.filter((date) => date.endsWith('-01'));
  const every = Math.max(1, Math.ceil(span / 4));
  return dates.filter((_, index) => index % every === 0);
}

function px(value: number): number {
  return Math.round(10 * value) / 10;
}
