import { html } from 'htm/preact';
import { useMemo } from 'preact/hooks';
import { day as fullDay, NOISE, points, share } from '../../../lambda/report/format.ts';
import { microsoftOf, recommendationsOf, type FleetRecommendation, type Spread } from '../fleet-model.ts';
import type { Fleet, FleetControl, WireStandings } from '../fleet-wire.ts';
import { containsAll } from '../model.ts';
import { hashOf, START, type Route } from '../route.ts';
import { dateOfNumber } from '../wire.ts';
import { Kind } from './changes.ts';
import { Filters } from './fields.ts';
import { Table, type Column } from './table.ts';
import { counted, type Drawn } from './words.ts';

interface ListProps {
  fleet: Fleet;
  days: number;
  route: Route;
  go: (change: Partial<Route>, step?: boolean) => void;
}

interface LinkProps {
  control: FleetControl;
  /** It goes on where one comes from. */
  period: string | null;
}

/** To what one recommendation is in all tenants. */
function RecommendationLink({ control, period }: LinkProps): Drawn {
  return html`<a href=${hashOf({ ...START, control: control.name, period })} data-control=${control.name}
    >${control.title}</a
  >`;
}

function what(control: FleetControl, period: string | null): Drawn {
  return html`
    <${RecommendationLink} control=${control} period=${period} />
    <span class="about soft">
      ${[control.category, control.service].filter((each) => each !== null).join(' · ')}
    </span>
  `;
}

const textsOf = ({ title, name, category, service }: FleetControl) => [title, name, category, service];

/** "287 of 300", with a bar. */
function OutOf({ number, of }: { number: number; of: number }): Drawn {
  const width = of === 0 ? 0 : (100 * number) / of;
  return html`
    <span class="standing">
      <span class="track" aria-hidden="true"><span class="bar" style=${{ width: `${width}%` }}></span></span>
      <span class="of">${number.toLocaleString('en-GB')} of ${of.toLocaleString('en-GB')}</span>
    </span>
  `;
}

/** What happened to many, once: by recommendation, and how many tenants it hit. */
export function FleetMicrosoft({ fleet, days, route, go }: ListProps) {
  const all = useMemo(() => microsoftOf(fleet, days), [fleet, days]);
  const { search } = route;
  const rows = useMemo(
    () =>
      all.filter(({ control, kind }) => containsAll([...(control ? textsOf(control) : []), kind], search)),
    [all, search],
  );
  return html`
    <${Filters} label="Search what Microsoft did" route=${route} go=${go} />
    <p class="result soft" role="status">
      ${`${counted(rows.length, 'recommendation')} added, removed or re-scored since ${fullDay(dateOfNumber(fleet.last - days))}`}
    </p>
    <${Table}
      caption="What Microsoft did"
      columns=${microsoftColumns(fleet, route.period)}
      rows=${rows}
      rowKey=${({ control, kind }: Spread) => `${control?.name} ${kind}`}
      sort=${route.sort ?? '-tenants'}
      onSort=${(sort: string) => go({ sort })}
      empty=${search === '' ? 'Microsoft changed nothing on these days.' : 'Nothing matches.'}
    />
  `;
}

function microsoftColumns({ tenants }: Fleet, period: string | null): Column<Spread>[] {
  return [
    {
      name: 'kind',
      label: 'What',
      sort: ({ kind }) => kind,
      cell: ({ kind }) => html`<${Kind} name=${kind} />`,
    },
    {
      name: 'what',
      label: 'Recommendation',
      sort: ({ control }) => control?.title.toLocaleLowerCase('en') ?? '',
      cell: ({ control }) => (control === null ? 'Recommendations without points' : what(control, period)),
    },
    {
      name: 'tenants',
      label: 'Tenants',
      number: true,
      sort: (spread) => spread.tenants.size,
      descending: true,
      cell: (spread) => html`<${OutOf} number=${spread.tenants.size} of=${tenants.length} />`,
    },
    {
      name: 'share',
      label: 'On average',
      number: true,
      sort: ({ average }) => average,
      cell: ({ average }) => amountOf(average),
    },
    {
      name: 'days',
      label: 'Days',
      sort: ({ from }) => from,
      descending: true,
      cell: ({ from, to }) => daysOf(from, to),
    },
  ];
}

/** In percentage points. */
export function amountOf(value: number): Drawn {
  if (Math.abs(value) < NOISE) return html`<span class="soft">±0</span>`;
  return html`<span class=${value > 0 ? 'good' : 'bad'}>${share(value)}</span>`;
}

/** "12 Jun 2026", or from when to when. */
export function daysOf(from: number, to: number): string {
  const [first, last] = [fullDay(dateOfNumber(from)), fullDay(dateOfNumber(to))];
  return from === to ? first : `${first} – ${last}`;
}

/** All recommendations: who lost points, and who has points still to earn. */
export function FleetRecommendations({
  fleet,
  standings,
  days,
  route,
  go,
}: ListProps & { standings: WireStandings }) {
  const all = useMemo(() => recommendationsOf(fleet, standings, days), [fleet, standings, days]);
  const { search } = route;
  const rows = useMemo(
    () =>
      all.filter(({ control, applies, lost }) => applies + lost > 0 && containsAll(textsOf(control), search)),
    [all, search],
  );
  return html`
    <${Filters} label="Search the recommendations" route=${route} go=${go} />
    <p class="result soft" role="status">
      ${counted(rows.length, 'recommendation')}, losses since ${fullDay(dateOfNumber(fleet.last - days))}
    </p>
    <${Table}
      caption="Recommendations"
      columns=${recommendationColumns(route.period)}
      rows=${rows}
      rowKey=${({ control }: FleetRecommendation) => control.name}
      sort=${route.sort ?? '-lost'}
      onSort=${(sort: string) => go({ sort })}
      empty="No recommendation matches."
    />
  `;
}

const recommendationColumns = (period: string | null): Column<FleetRecommendation>[] => [
  {
    name: 'what',
    label: 'Recommendation',
    sort: ({ control }) => control.title.toLocaleLowerCase('en'),
    cell: ({ control }) => what(control, period),
  },
  {
    name: 'lost',
    label: 'Lost by',
    number: true,
    sort: ({ lost }) => lost,
    descending: true,
    cell: ({ lost }) =>
      lost === 0
        ? html`<span class="soft">–</span>`
        : html`<span class="bad">${counted(lost, 'tenant')}</span>`,
  },
  {
    name: 'open',
    label: 'Missed by',
    number: true,
    sort: ({ open }) => open,
    descending: true,
    cell: ({ open, applies }) => html`<${OutOf} number=${open} of=${applies} />`,
  },
  {
    name: 'missing',
    label: 'Points still to earn',
    number: true,
    sort: ({ missing }) => missing,
    descending: true,
    cell: ({ missing }) => points(missing, 0),
  },
];
