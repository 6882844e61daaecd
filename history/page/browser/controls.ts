import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { day as fullDay, points } from '../../../lambda/report/format.ts';
import { containsAll, standings, type Standing } from '../model.ts';
import type { Route } from '../route.ts';
import type { History, Step } from '../wire.ts';
import { categoryChoice, Filters, stateChoice } from './fields.ts';
import { ControlLink } from './link.ts';
import { Table, type Column } from './table.ts';
import { counted, stateOf, type Drawn } from './words.ts';

interface ControlsProps {
  history: History;
  /** The last day shown. */
  day: number;
  categories: string[];
  route: Route;
  go: (change: Partial<Route>, step?: boolean) => void;
}

const STATES: [string, string][] = [
  ['open', 'points still to earn'],
  ['full', 'full points'],
  ['decided', 'decided'],
  ['untouched', 'never changed'],
  ['muted', 'muted'],
];

/** All recommendations that apply on the last day shown. */
export function Controls({ history, day, categories, route, go }: ControlsProps) {
  const { search, category, state } = route;
  const all = useMemo(() => standings(history, day), [history, day]);
  const rows = useMemo(
    () =>
      all.filter((standing) => {
        const { control, step } = standing;
        return (
          (category === null || control.category === category) &&
          is(standing, state) &&
          containsAll([control.title, control.name, control.service, step.decision?.state ?? null], search)
        );
      }),
    [all, search, category, state],
  );
  const filtered = rows.length < all.length;
  return html`
    <${Filters}
      label="Search the recommendations"
      choices=${[stateChoice(STATES), categoryChoice(categories)]}
      route=${route}
      go=${go}
    />
    <p class="result soft" role="status">
      ${filtered ? `${rows.length} of ${counted(all.length, 'recommendation')}` : counted(all.length, 'recommendation')},
      as of ${fullDay(history.days[day]!.date)}
    </p>
    <${Table}
      caption="Recommendations"
      columns=${columns}
      rows=${rows}
      rowKey=${({ control }: Standing) => control.name}
      sort=${route.sort ?? '-missing'}
      onSort=${(sort: string) => go({ sort })}
      empty=${filtered ? 'No recommendation matches.' : 'No recommendation applied on that day.'}
    />
  `;
}

function is({ control, step, missing, changed }: Standing, state: string | null): boolean {
  if (state === 'muted') return control.muted;
  // Of an unknown maximum nobody knows that nothing is left to earn.
  if (state === 'open') return missing === null || missing > 0;
  if (state === 'full') return missing === 0;
  if (state === 'decided') return step.decision !== null;
  return state === 'untouched' ? changed === null : true;
}

const columns: Column<Standing>[] = [
  {
    name: 'what',
    label: 'Recommendation',
    sort: ({ control }) => control.title.toLocaleLowerCase('en'),
    cell: ({ control }) => html`
      <${ControlLink} name=${control.name} title=${control.title} />
      <span class="about soft">
        ${[control.category, control.service].filter((each) => each !== null).join(' · ')}
      </span>
    `,
  },
  {
    name: 'points',
    label: 'Points',
    number: true,
    sort: ({ step }) => (step.maximum ? (step.points ?? 0) / step.maximum : -1),
    cell: ({ step }) => html`<${Earned} step=${step} />`,
  },
  {
    name: 'missing',
    label: 'Still to earn',
    number: true,
    sort: ({ missing }) => missing ?? -1,
    descending: true,
    cell: ({ missing }) => (missing === null ? 'unknown' : points(missing)),
  },
  {
    name: 'decision',
    label: 'Decision',
    sort: ({ step }) => step.decision?.state ?? '',
    descending: true,
    cell: ({ step }) => (step.decision === null ? '' : stateOf(step.decision.state)),
  },
  {
    name: 'changed',
    label: 'Last change',
    sort: ({ changed }) => changed ?? '',
    descending: true,
    cell: ({ changed }) => (changed === null ? html`<span class="soft">never</span>` : fullDay(changed)),
  },
];

/** "8 of 9", with a bar. */
export function Earned({ step }: { step: Pick<Step, 'points' | 'maximum'> }): Drawn {
  const { points: own, maximum } = step;
  if (own === null) return html`<span class="soft">not there</span>`;
  if (!maximum) return points(own);
  const part = Math.min(100, Math.max(0, (100 * own) / maximum));
  return html`
    <span class="standing">
      <span class="track" aria-hidden="true"><span class="bar" style=${{ width: `${part}%` }}></span></span>
      <span class="of">${points(own)} of ${points(maximum)}</span>
    </span>
  `;
}
