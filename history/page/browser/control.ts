import { html } from 'htm/preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { area, curveStepAfter, line } from 'd3-shape';
import { day as fullDay, points } from '../../../lambda/report/format.ts';
import { lifeOf, stretchesOf, type Life, type Stretch } from '../model.ts';
import type { Change, Decision, History, Step } from '../wire.ts';
import { columns as changeColumns, keyOf } from './changes.ts';
import { Earned } from './controls.ts';
import { Muted } from './link.ts';
import { Plot, px, useMedia, type Scale } from './plot.ts';
import { Table, type Column } from './table.ts';
import { stateOf, type Drawn } from './words.ts';

interface ControlPageProps {
  history: History;
  name: string;
  back: string;
  /** The way to what it is in all tenants; null: there are no others. */
  others: string | null;
  onDay: (date: string) => void;
}

/** A control and its life. */
export function ControlPage({ history, name, back, others, onDay }: ControlPageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const life = useMemo(() => lifeOf(history, name), [history, name]);
  useEffect(() => {
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [name]);
  const title = life?.control.title ?? name;
  return html`
    <article class="control-page">
      <p class="no-print"><a href=${back}>← ${history.name}</a></p>
      <h1 tabindex="-1" ref=${heading}>${title}</h1>
      ${others !== null && html`<p class="no-print"><a href=${others}>Who lost it, and who misses it, of all tenants</a></p>`}
      ${life ? html`<${Lived} history=${history} life=${life} onDay=${onDay} />` : html`<p>There is no recommendation with this name.</p>`}
    </article>
  `;
}

function Lived({ history, life, onDay }: { history: History; life: Life; onDay: (date: string) => void }) {
  const { days } = history;
  const { control, formerly, steps, changes } = life;
  const last = steps.at(-1)!;
  const first = steps.find((step) => step.points !== null) ?? last;
  const stretches = useMemo(() => stretchesOf(steps, days), [steps, days]);
  const there = stretches.filter((stretch) => stretch.points !== null);
  return html`
    <p class="soft about">
      ${[control.category, control.service].filter((each) => each !== null).join(' · ')}${' '}
      <code>${control.name}</code>${control.muted && html` <${Muted} />`}
      ${formerly.length > 0 && html` formerly <code>${formerly.join(', ')}</code>`}
    </p>
    <dl class="facts">
      <div>
        <dt>${last.points === null ? 'Gone since' : 'Now'}</dt>
        <dd>${last.points === null ? fullDay(days[last.from]!.date) : outOf(last)}</dd>
      </div>
      <div>
        <dt>${last.points === null ? 'Existed since' : 'Unchanged since'}</dt>
        <dd>${fullDay(days[(last.points === null ? first : last).from]!.date)}</dd>
      </div>
      <div>
        <dt>First seen</dt>
        <dd>${fullDay(days[first.from]!.date)}${first.from === 0 ? ', when monitoring began' : ''}</dd>
      </div>
      <div>
        <dt>Decision in force</dt>
        <dd>${last.decision === null ? 'none' : text(last.decision)}</dd>
      </div>
      <div>
        <dt>Changes</dt>
        <dd>${tally(life)}</dd>
      </div>
    </dl>
    <section class="card chart" aria-label="Points over time">
      <h2>Points over time</h2>
      <${LifeChart} history=${history} steps=${steps} onDay=${onDay} />
      <p class="legend no-print">
        <span><span class="key line"></span>points</span>
        <span><span class="key dashed"></span>achievable</span>
        ${steps.some(({ decision }) => decision !== null) && html`<span><span class="key decided-band"></span>decision in force</span>`}
      </p>
    </section>
    <section class="card">
      <h2>What happened</h2>
      <${Table}
        caption="Changes of this recommendation"
        columns=${lifeColumns(changes)}
        rows=${changes}
        rowKey=${keyOf}
        sort=""
        empty="It never changed since monitoring began."
      />
    </section>
    <section class="card">
      <h2>How it stood</h2>
      <${Table}
        caption="Periods without a change, newest first"
        columns=${stretchColumns(history)}
        rows=${there}
        rowKey=${({ from }: Stretch) => String(from)}
        sort=""
        empty="It never applied."
      />
    </section>
  `;
}

/** Of one control: who decided what, and its former name, where anything of that happened. */
function lifeColumns(changes: Change[]): Column<Change>[] {
  const what: Column<Change> = { name: 'what', label: 'What', cell: whatOf };
  return changeColumns.flatMap((column) =>
    column.name === 'what' ? (changes.some((change) => whatOf(change) !== '') ? what : []) : column,
  );
}

function whatOf({ kind, previousControl, decision, by }: Change): string {
  return [
    kind === 'renamed' ? `formerly ${previousControl ?? 'unknown'}` : null,
    decision === null ? null : stateOf(decision),
    by === null ? null : `by ${by}`,
  ]
    .filter((each) => each !== null)
    .join(' ');
}

function outOf({ points: own, maximum }: Step): string {
  if (own === null) return 'not there';
  return maximum === null
    ? `${points(own)} points, maximum unknown`
    : `${points(own)} of ${points(maximum)} points`;
}

/** "lost twice, gained once". */
function tally({ changes }: Life): string {
  if (changes.length === 0) return 'none since monitoring began';
  const kinds = Map.groupBy(changes.toReversed(), ({ kind }) => kind);
  return [...kinds].map(([kind, { length }]) => `${kind} ${TIMES[length] ?? `${length} times`}`).join(', ');
}

const TIMES: Record<number, string> = { 1: 'once', 2: 'twice' };

function text({ state, by, at }: Decision): string {
  const since = at !== null && !Number.isNaN(Date.parse(at)) ? `, ${fullDay(at)}` : '';
  return `${stateOf(state)}${by === null ? '' : ` by ${by}`}${since}`;
}

function stretchColumns({ days }: History): Column<Stretch>[] {
  return [
    { name: 'from', label: 'From', cell: ({ from }) => fullDay(days[from]!.date) },
    {
      name: 'to',
      label: 'To',
      cell: ({ to }) => (to === days.length - 1 ? 'still so' : fullDay(days[to]!.date)),
    },
    {
      name: 'days',
      label: 'Days',
      number: true,
      cell: ({ from, to }) => String(days[to]!.number - days[from]!.number + 1),
    },
    { name: 'points', label: 'Points', number: true, cell: (stretch) => html`<${Earned} step=${stretch} />` },
    {
      name: 'decision',
      label: 'Decision',
      cell: ({ decision }) => (decision === null ? '' : text(decision)),
    },
  ];
}

interface LifeChartProps {
  history: History;
  steps: Step[];
  onDay: (date: string) => void;
}

function LifeChart({ history, steps, onDay }: LifeChartProps) {
  const { days } = history;
  const narrow = useMedia('(max-width: 640px)');
  const span = useMemo(() => ({ from: 0, to: days.length - 1 }), [days]);
  const highest = Math.max(1, ...steps.flatMap((step) => [step.points ?? 0, step.maximum ?? 0]));
  const decided = steps.some(({ decision }) => decision !== null);
  const at = (index: number) => steps.findLast(({ from }) => from <= index) ?? null;
  const layers = useMemo(() => (scale: Scale) => drawLife(steps, days.length, scale), [steps, days]);
  const describe = (index: number) => {
    const step = at(index);
    const decision = step?.decision ? `, ${stateOf(step.decision.state)}` : '';
    return `${fullDay(days[index]!.date)}: ${step ? outOf(step) : 'not there'}${decision}`;
  };
  return html`
    <${Plot}
      name="Points, day by day"
      days=${days}
      span=${span}
      domain=${[0, highest * (decided ? 1.22 : 1.08)]}
      ticks=${[0, highest]}
      tick=${pointTick}
      height=${narrow ? 180 : 220}
      right=${36}
      layers=${layers}
      describe=${describe}
      tip=${(index: number) => {
        const step = at(index);
        return html`
          <p class="tip-day">${fullDay(days[index]!.date)}</p>
          <p><strong>${step ? outOf(step) : 'not there'}</strong></p>
          ${step?.decision && html`<p class="soft">${text(step.decision)}</p>`}
        `;
      }}
      dots=${(index: number) => [at(index)?.points ?? null]}
      stops=${steps.map(({ from }) => from)}
      picked=${null}
      onPick=${(index: number) => onDay(days[index]!.date)}
    />
  `;
}

const pointTick = (value: number) => points(value);

function drawLife(steps: Step[], days: number, scale: Scale): Drawn {
  const end = days - 1;
  const to = (index: number) => steps[index + 1]?.from ?? end;
  // A stretch of steps on which it is there, with the day on which it ends.
  const runs: { from: number; step: Step }[][] = [];
  for (const [index, step] of steps.entries()) {
    if (step.points === null) continue;
    const ends = [
      { from: step.from, step },
      { from: to(index), step },
    ];
    const joins = index > 0 && steps[index - 1]!.points !== null;
    if (joins) runs.at(-1)!.push(...ends);
    else runs.push(ends);
  }
  const x = ({ from }: { from: number }) => scale.x(from);
  const curve = line<{ from: number; step: Step }>(x, ({ step }) => scale.y(step.points ?? 0))
    .curve(curveStepAfter)
    .digits(1);
  const most = line<{ from: number; step: Step }>(x, ({ step }) => scale.y(step.maximum ?? 0))
    .defined(({ step }) => step.maximum !== null)
    .curve(curveStepAfter)
    .digits(1);
  const below = area<{ from: number; step: Step }>(x, scale.bottom, ({ step }) => scale.y(step.points ?? 0))
    .curve(curveStepAfter)
    .digits(1);
  return html`
    <defs>
      <linearGradient id="fade-life" x1="0" y1="0" x2="0" y2="1">
        <stop class="fade-top" offset="0" />
        <stop class="fade-bottom" offset="1" />
      </linearGradient>
    </defs>
    ${steps.map((step, index) => {
      if (step.decision === null) return null;
      const [left, right] = [scale.x(step.from), scale.x(to(index))];
      const same = steps[index - 1]?.decision === step.decision;
      return html`
        <rect
          class="band"
          x=${px(left)}
          width=${px(Math.max(2, right - left))}
          y=${scale.top}
          height=${scale.bottom - scale.top}
        />
        ${
          !same &&
          html`<text class="label small" x=${px(Math.min(left + 4, scale.right - 80))} y=${scale.top + 12}
            >${stateOf(step.decision.state)}</text
          >`
        }
      `;
    })}
    ${runs.map((run) => html`<path class="area life" d=${below(run)} />`)}
    ${runs.map((run) => html`<path class="series most dashed" d=${most(run)} />`)}
    ${runs.map((run) => html`<path class="line" d=${curve(run)} />`)}
  `;
}
