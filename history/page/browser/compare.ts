import { html } from 'htm/preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { line } from 'd3-shape';
import { stepCurve } from '../../../lambda/report/chart/steps.ts';
import { day as fullDay, signedUnits } from '../../../lambda/report/format.ts';
import { accountOf, categoriesOf, movesOf, periodsFor, spanOf, type Account, type Span } from '../model.ts';
import { hashOf, START, type Route } from '../route.ts';
import type { Day, History } from '../wire.ts';
import { dayOf } from './band.ts';
import { useLoaded, type PageData } from './data.ts';
import { Periods } from './periods.ts';
import { apart } from './labels.ts';
import { domainOf, Plot, px, useMedia, valuesIn, type Scale } from './plot.ts';
import { runsOf } from './trend.ts';
import { percent, percentTick, type Drawn } from './words.ts';

interface CompareProps {
  data: PageData;
  route: Route;
  go: (change: Partial<Route>, step?: boolean) => void;
}

/** Up to five tenants in one chart. */
export function ComparePage({ data, route, go }: CompareProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const ids = route.compare.filter((id) => data.tenants.some((tenant) => tenant.id === id));
  const { value, fault } = useLoaded(ids.join(), () => Promise.all(ids.map((id) => data.history(id))));
  useEffect(() => {
    document.title = 'Comparison · Secure Score history';
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  return html`
    <article class="control-page">
      <h1 tabindex="-1" ref=${heading}>
        ${ids.length === 1 ? '1 tenant' : `${ids.length} tenants`} compared
      </h1>
      ${fault !== null && html`<p role="alert">${fault}</p>`}
      ${ids.length === 0 && html`<p>None of these tenants is on this page.</p>`}
      ${value && value.length > 0 && html`<${Compared} histories=${value} route=${route} go=${go} />`}
    </article>
  `;
}

interface Line {
  history: History;
  /** Per cent, a value a day of the chart. */
  values: (number | null)[];
  colour: string;
}

function Compared({ histories, route, go }: Pick<CompareProps, 'route' | 'go'> & { histories: History[] }) {
  const days = useMemo(() => unionOf(histories), [histories]);
  const lines = useMemo(
    () =>
      histories.map((history, place): Line => ({
        history,
        values: valuesOn(days, history),
        colour: `category-${place}`,
      })),
    [histories, days],
  );
  const periods = periodsFor(days);
  const period = route.period ?? periods.find(({ name }) => name === '1y')?.name ?? 'all';
  const span = useMemo(() => spanOf(days, period), [days, period]);
  return html`
    <section class="card chart" aria-labelledby="compare-heading">
      <div class="chart-head">
        <h2 id="compare-heading">Secure Score</h2>
        <${Periods} periods=${periods} shown=${period} go=${go} />
      </div>
      <${CompareChart} days=${days} span=${span} lines=${lines} />
      <p class="legend">
        ${lines.map(
          ({ history, colour }) =>
            html`<span
              ><span class=${`key line-of ${colour}`} aria-hidden="true"></span>${history.name}</span
            >`,
        )}
      </p>
    </section>
    <section class="card">
      <h2>Side by side</h2>
      <${SideBySide} days=${days} span=${span} lines=${lines} />
    </section>
  `;
}

/** All days on which one of them has a snapshot. */
function unionOf(histories: History[]): Day[] {
  const numbers = new Set(histories.flatMap(({ days }) => days.map(({ number }) => number)));
  return [...numbers].toSorted((a, b) => a - b).map(dayOf);
}

function valuesOn(days: Day[], history: History): (number | null)[] {
  const values = new Map(history.days.map(({ number, percentage }) => [number, percentage]));
  return days.map(({ number }) => values.get(number) ?? null);
}

interface ChartProps {
  days: Day[];
  span: Span;
  lines: Line[];
}

function CompareChart({ days, span, lines }: ChartProps) {
  const narrow = useMedia('(max-width: 640px)');
  const domain = useMemo(
    () =>
      domainOf(
        lines.flatMap(({ values }) => values.slice(span.from, span.to + 1).flatMap((value) => value ?? [])),
        4,
      ),
    [lines, span],
  );
  const height = narrow ? 260 : 360;
  const ends = useMemo(() => endsOf(span, lines, domain, height), [span, lines, domain, height]);
  const layers = useMemo(
    () => (scale: Scale) => drawLines(days, span, lines, ends, scale),
    [days, span, lines, ends],
  );
  const describe = (index: number) =>
    lines.map(({ history, values }) => `${history.name} ${percent(values[index] ?? null)}`).join(', ');
  return html`
    <${Plot}
      name="Secure Score, tenants compared, day by day"
      days=${days}
      span=${span}
      domain=${domain}
      tick=${percentTick}
      height=${height}
      quiet=${ends.map(({ at }) => at)}
      right=${narrow ? 64 : 70}
      layers=${layers}
      describe=${(index: number) => `${fullDay(days[index]!.date)}: ${describe(index)}`}
      tip=${(index: number) => html`
        <p class="tip-day">${fullDay(days[index]!.date)}</p>
        ${lines.map(
          ({ history, values, colour }) =>
            html`<p class="tip-line">
              <span class=${`key line-of ${colour}`}></span
              >${`${history.name} ${percent(values[index] ?? null)}`}
            </p>`,
        )}
      `}
      dots=${(index: number) => lines.map(({ values }) => values[index] ?? null)}
      stops=${[]}
      picked=${null}
    />
  `;
}

/** Where a line ends. */
interface End {
  colour: string;
  value: number;
  /** The value at whose height its label stands. */
  at: number;
}

/** Where the lines end, the highest first. Their labels give way to one another. */
function endsOf(span: Span, lines: Line[], domain: [number, number], height: number): End[] {
  const ends = lines
    .flatMap(({ values, colour }) => {
      const value = values.slice(span.from, span.to + 1).findLast((each) => each !== null);
      return value === undefined || value === null ? [] : { colour, value };
    })
    .toSorted((one, other) => other.value - one.value);
  const places = apart(
    ends.map(({ value }) => value),
    valuesIn(16, domain, height),
    domain,
  );
  return ends.map((end, index) => ({ ...end, at: places[index]! }));
}

function drawLines(days: Day[], span: Span, lines: Line[], ends: End[], scale: Scale): Drawn {
  return html`
    ${lines.map(({ values, colour }) => {
      const path = line<number>(
        (index) => scale.x(index),
        (index) => scale.y(values[index]!),
      )
        .curve(stepCurve)
        .digits(1);
      return runsOf(days, values, span).map(
        (run) => html`<path class=${`series compared ${colour}`} d=${path(run)} />`,
      );
    })}
    ${ends.map(
      ({ colour, value, at }) =>
        html`<text class=${`label ends ${colour}`} x=${px(scale.right + 8)} y=${px(scale.y(at) + 4.5)}
          >${percent(value)}</text
        >`,
    )}
  `;
}

/** A column a tenant: what a chart cannot show. */
function SideBySide({ days, span, lines }: ChartProps) {
  const columns = useMemo(
    () =>
      lines.map(({ history }) => {
        const [first, last] = [days[span.from]!.number, days[span.to]!.number];
        const to = history.days.findLastIndex(({ number }) => number <= last);
        const from = Math.max(
          0,
          history.days.findLastIndex(({ number }) => number <= first),
        );
        const account = to > from ? accountOf(history, movesOf(history), from, to) : null;
        const categories = new Map(
          categoriesOf(history).map(({ name, percentages }) => [name, percentages[to] ?? null]),
        );
        return { history, day: history.days[to] ?? null, account, categories };
      }),
    [lines, days, span],
  );
  const categories = [...new Set(columns.flatMap((column) => [...column.categories.keys()]))].toSorted();
  const amount = (account: Account | null, part: keyof Account) =>
    account === null ? '–' : account[part] === 0 ? '±0' : signedUnits(account[part], 1);
  const row = (label: string, cell: (column: (typeof columns)[number]) => Drawn) => html`
    <tr>
      <th scope="row">${label}</th>
      ${columns.map((column) => html`<td class="number">${cell(column)}</td>`)}
    </tr>
  `;
  return html`
    <div class="wide" tabindex="0" role="region" aria-label="Side by side">
      <table class="side" style=${{ '--tenants': lines.length }}>
        <thead>
          <tr>
            <td></td>
            ${columns.map(
              ({ history }) =>
                html`<th scope="col" class="number">
                  <a href=${hashOf({ ...START, tenant: history.id })}>${history.name}</a>
                </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${row('Score', ({ day }) => html`<strong>${percent(day?.percentage ?? null)}</strong>`)}
          ${row('Change', ({ account }) => amount(account, 'total'))}
          ${row('earned or lost here', ({ account }) => amount(account, 'earned'))}
          ${row('by decisions', ({ account }) => amount(account, 'decided'))}
          ${row('re-scored by Microsoft', ({ account }) => amount(account, 'rescored'))}
          ${columns.some(({ account }) => (account?.unexplained ?? 0) !== 0) && row('not explained', ({ account }) => amount(account, 'unexplained'))}
          ${categories.map((name) => row(name, (column) => percentOrNone(column.categories.get(name) ?? null)))}
        </tbody>
      </table>
    </div>
  `;
}

function percentOrNone(value: number | null): string {
  return value === null ? '–' : percent(value);
}
