import { html } from 'htm/preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { day as fullDay, points } from '../../../lambda/report/format.ts';
import { fleetDays, holdersOf, isFound, microsoftOf, type Holder, type Spread } from '../fleet-model.ts';
import type { Fleet, FleetControl, WireStandings } from '../fleet-wire.ts';
import type { Route } from '../route.ts';
import { dateOfNumber } from '../wire.ts';
import { Kind } from './changes.ts';
import { Earned } from './controls.ts';
import { Filters, stateChoice } from './fields.ts';
import { FleetPeriods, type FleetProps } from './fleet-props.ts';
import { amountOf, daysOf } from './fleet-lists.ts';
import { TenantLink } from './fleet-tenants.ts';
import { Table, type Column } from './table.ts';
import { counted, stateOf } from './words.ts';

interface RecommendationProps {
  fleet: Fleet;
  standings: WireStandings;
  name: string;
  route: Route;
  go: FleetProps['go'];
}

const STATES: [string, string][] = [
  ['lost', 'lost it'],
  ['open', 'points still to earn'],
  ['full', 'full points'],
  ['decided', 'decided'],
];

/** One recommendation in all tenants: who lost it, and who misses it. */
export function FleetRecommendationPage({ fleet, standings, name, route, go }: RecommendationProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const control = fleet.controls.find((each) => each.name === name) ?? null;
  useEffect(() => {
    document.title = `${control?.title ?? name} · Secure Score history`;
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [name]);
  return html`
    <article class="control-page">
      <h1 tabindex="-1" ref=${heading}>${control?.title ?? name}</h1>
      ${control ? html`<${Held} ...${{ fleet, standings, control, route, go }} />` : html`<p>There is no recommendation with this name.</p>`}
    </article>
  `;
}

function Held(props: Omit<RecommendationProps, 'name'> & { control: FleetControl }) {
  const { fleet, standings, control, route, go } = props;
  const days = fleetDays(route.period);
  const holders = useMemo(
    () => holdersOf(fleet, standings, control, days),
    [fleet, standings, control, days],
  );
  const done = useMemo(
    () => microsoftOf(fleet, days).filter((spread) => spread.control === control),
    [fleet, control, days],
  );
  const { search, state } = route;
  const rows = useMemo(
    () => holders.filter((holder) => is(holder, state) && isFound(holder.tenant, search)),
    [holders, search, state],
  );
  const number = (which: string) => holders.filter((holder) => is(holder, which)).length;
  const applies = holders.filter(({ standing }) => standing !== null).length;
  const muted = fleet.tenants.filter((tenant) => tenant.muted.has(control.place)).length;
  const facts: [string, string][] = [
    [`Lost it since ${fullDay(dateOfNumber(fleet.last - days))}`, counted(number('lost'), 'tenant')],
    ['Points still to earn', `${number('open').toLocaleString('en-GB')} of ${counted(applies, 'tenant')}`],
    ['Full points', counted(number('full'), 'tenant')],
    ['Decision in force', counted(number('decided'), 'tenant')],
    ...(muted > 0 ? [['Muted', counted(muted, 'tenant')] as [string, string]] : []),
  ];
  return html`
    <p class="soft about">
      ${[control.category, control.service].filter((each) => each !== null).join(' · ')}${' '}
      <code>${control.name}</code>
    </p>
    <dl class="facts">
      ${facts.map(
        ([term, fact]) =>
          html`<div>
            <dt>${term}</dt>
            <dd>${fact}</dd>
          </div>`,
      )}
    </dl>
    ${done.map((spread) => html`<p class="done"><${Done} spread=${spread} of=${fleet.tenants.length} /></p>`)}
    <section class="card" aria-labelledby="holders-heading">
      <div class="chart-head">
        <h2 id="holders-heading">Tenants</h2>
        <${FleetPeriods} days=${days} go=${go} />
      </div>
      <${Filters} label="Search the tenants" choices=${[stateChoice(STATES)]} route=${route} go=${go} />
      <p class="result soft" role="status">
        ${`${rows.length.toLocaleString('en-GB')} of ${counted(holders.length, 'tenant')}`}
      </p>
      <${Table}
        caption="Tenants with this recommendation"
        columns=${columnsOf(control)}
        rows=${rows}
        rowKey=${({ tenant }: Holder) => tenant.id}
        sort=${route.sort ?? 'lost'}
        onSort=${(sort: string) => go({ sort })}
        printed=${2000}
        empty="No tenant matches."
      />
    </section>
  `;
}

/** "new in 287 of 300 tenants, 12 Jun 2026, −0.2 percentage points on average". */
function Done({ spread, of }: { spread: Spread; of: number }) {
  const { kind, tenants, from, to, average } = spread;
  return html`<${Kind}
      name=${kind}
    />${` in ${tenants.size.toLocaleString('en-GB')} of ${counted(of, 'tenant')}, ${daysOf(from, to)}: `}
    ${amountOf(average)} percentage points on average`;
}

function is({ standing, missing, losses }: Holder, state: string | null): boolean {
  if (state === 'lost') return losses.length > 0;
  if (state === 'open') return standing !== null && (missing === null || missing > 0);
  if (state === 'full') return missing === 0;
  return state === 'decided' ? (standing?.state ?? null) !== null : true;
}

function columnsOf(control: FleetControl): Column<Holder>[] {
  return [
    {
      name: 'tenant',
      label: 'Tenant',
      sort: ({ tenant }) => tenant.name.toLocaleLowerCase('en'),
      cell: ({ tenant }) => html`
        <${TenantLink} tenant=${tenant} control=${control} />
        ${tenant.muted.has(control.place) && html` <span class="badge">muted</span>`}
      `,
    },
    {
      name: 'points',
      label: 'Points',
      number: true,
      sort: ({ standing }) => (standing?.maximum ? standing.points / standing.maximum : -1),
      cell: ({ standing }) => html`<${Earned} step=${standing ?? { points: null, maximum: null }} />`,
    },
    {
      name: 'missing',
      label: 'Still to earn',
      number: true,
      sort: ({ missing }) => missing ?? -1,
      descending: true,
      cell: ({ standing, missing }) =>
        standing === null ? '' : missing === null ? 'unknown' : points(missing),
    },
    {
      name: 'lost',
      label: 'Lost',
      number: true,
      // Of those that lost the same, who has most to earn.
      sort: ({ lost, missing }) => 1e6 * lost - (missing ?? 0),
      cell: ({ losses, lost }) => (losses.length === 0 ? '' : amountOf(lost)),
    },
    {
      name: 'days',
      label: 'On',
      sort: ({ losses }) => losses[0]?.day ?? 0,
      descending: true,
      cell: ({ losses }) =>
        losses.length === 0
          ? ''
          : losses
              .slice(0, 3)
              .map(({ day }) => fullDay(dateOfNumber(day)))
              .join(', '),
    },
    {
      name: 'decision',
      label: 'Decision',
      sort: ({ standing }) => standing?.state ?? '',
      descending: true,
      cell: ({ standing }) => (standing?.state ? stateOf(standing.state) : ''),
    },
  ];
}
