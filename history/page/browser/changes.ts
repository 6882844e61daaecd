import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { day as fullDay, share, sides } from '../../../lambda/report/format.ts';
import { matches } from '../model.ts';
import type { Route } from '../route.ts';
import type { Change } from '../wire.ts';
import { categoryChoice, Filters } from './fields.ts';
import { ControlLink } from './link.ts';
import { Table, type Column } from './table.ts';
import { causeOf, CAUSES, counted, kindOf, kindsAmong, stateOf, type Drawn } from './words.ts';

interface ChangesProps {
  /** Newest first. */
  changes: Change[];
  categories: string[];
  route: Route;
  /** @param step whether one can go back from it */
  go: (change: Partial<Route>, step?: boolean) => void;
}

/** All changes of the days shown, with filters. */
export function Changes({ changes, categories, route, go }: ChangesProps) {
  const { kinds, cause, category, search } = route;
  const searched = useMemo(
    () => changes.filter((change) => matches(change, { kinds: [], cause, category, search })),
    [changes, cause, category, search],
  );
  const rows = useMemo(
    () => (kinds.length === 0 ? searched : searched.filter(({ kind }) => kinds.includes(kind))),
    [searched, kinds.join()],
  );
  const numbers = new Map(kindsAmong(changes.map(({ kind }) => kind)).map(({ name }) => [name, 0]));
  for (const { kind } of searched) numbers.set(kind, (numbers.get(kind) ?? 0) + 1);
  const toggle = (kind: string) =>
    go({ kinds: kinds.includes(kind) ? kinds.filter((each) => each !== kind) : [...kinds, kind] });
  const filtered = kinds.length > 0 || cause !== null || category !== null || search !== '';
  return html`
    <${Filters}
      label="Search the changes"
      choices=${[
        {
          field: 'cause',
          label: 'Cause',
          options: CAUSES.map(({ name, label }) => [name, label]),
          all: 'Any cause',
        },
        categoryChoice(categories),
      ]}
      route=${route}
      go=${go}
    />
    <div class="chips no-print" role="group" aria-label="Kinds of change">
      ${kindsAmong(numbers.keys()).map(
        ({ name, mark, label, tone }) => html`
          <button
            type="button"
            class="chip"
            aria-pressed=${String(kinds.includes(name))}
            onClick=${() => toggle(name)}
          >
            <span class=${`mark ${tone}`} aria-hidden="true">${mark}</span> ${label}${' '}
            <span class="soft">${numbers.get(name)}</span>
          </button>
        `,
      )}
      ${
        filtered &&
        html`<button
          type="button"
          class="clear"
          onClick=${() => go({ kinds: [], cause: null, category: null, search: '' })}
        >
          Clear filters
        </button>`
      }
    </div>
    <p class="result soft" role="status">
      ${filtered ? `${rows.length} of ${counted(changes.length, 'change')}` : counted(changes.length, 'change')}
    </p>
    <${Table}
      caption="Changes"
      columns=${columns}
      rows=${rows}
      rowKey=${keyOf}
      sort=${route.sort ?? '-date'}
      onSort=${(sort: string) => go({ sort })}
      empty=${filtered ? 'No change matches.' : 'Nothing changed on these days.'}
    />
  `;
}

export const keyOf = (change: Change): string =>
  `${change.date} ${change.kind} ${change.control ?? ''} ${change.points.after ?? ''}`;

export function Kind({ name }: { name: string }) {
  const { mark, label, tone } = kindOf(name);
  return html`<span class="kind"
    ><span class=${`mark ${tone}`} aria-hidden="true">${mark}</span> ${label}</span
  >`;
}

function what(change: Change): Drawn {
  const { title, control, category, kind, decision, by, previousControl } = change;
  return html`
    ${control === null ? html`<span>${title}</span>` : html`<${ControlLink} name=${control} title=${title} />`}
    <span class="about soft">
      ${[
        category,
        kind === 'renamed' && previousControl !== null ? `formerly ${previousControl}` : null,
        decision === null ? null : `${stateOf(decision)}${by === null ? '' : ` by ${by}`}`,
      ]
        .filter((each) => each !== null)
        .join(' · ')}
    </span>
  `;
}

export const columns: Column<Change>[] = [
  {
    name: 'date',
    label: 'Day',
    sort: ({ date }) => date,
    descending: true,
    cell: ({ date }) => html`<span class="day">${fullDay(date)}</span>`,
  },
  {
    name: 'kind',
    label: 'Kind',
    sort: ({ kind }) => kind,
    cell: ({ kind }) => html`<${Kind} name=${kind} />`,
  },
  { name: 'what', label: 'Recommendation', sort: ({ title }) => title.toLocaleLowerCase('en'), cell: what },
  {
    name: 'points',
    label: 'Points',
    number: true,
    cell: ({ points, maximum }) =>
      sides(points, maximum)
        .replace(/ points?(?=$|,)/, '')
        .replaceAll(' of ', '\u00A0of\u00A0'),
  },
  {
    name: 'share',
    label: 'Share',
    number: true,
    sort: (change) => change.share,
    descending: true,
    cell: (change) => shareOf(change),
  },
  { name: 'cause', label: 'Cause', sort: ({ cause }) => cause ?? '', cell: ({ cause }) => causeOf(cause) },
];

/** Its share of the change of the score, in percentage points. */
function shareOf({ share: value, cause }: Change): Drawn {
  if (value === 0) return html`<span class="soft">${cause === null ? '–' : '±0'}</span>`;
  return html`<span class=${value > 0 ? 'good' : 'bad'}>${share(value)}</span>`;
}
