import { html } from 'htm/preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { day as fullDay } from '../../../lambda/report/format.ts';
import { bandOf, fleetDays, fleetRows, fleetSummary, type FleetRow } from '../fleet-model.ts';
import type { Fleet } from '../fleet-wire.ts';
import { FLEET_LISTS, type ListName } from '../route.ts';
import { dateOfNumber } from '../wire.ts';
import { BandChart } from './band.ts';
import { useLoaded } from './data.ts';
import { FleetMicrosoft, FleetRecommendations } from './fleet-lists.ts';
import { FleetPeriods, type FleetProps } from './fleet-props.ts';
import { FleetTenants } from './fleet-tenants.ts';
import { Causes, Moved } from './summary.ts';
import { Tabs } from './tabs.ts';
import { counted, percent } from './words.ts';

const TITLES: Record<(typeof FLEET_LISTS)[number], string> = {
  tenants: 'Tenants',
  microsoft: 'Microsoft',
  recommendations: 'Recommendations',
};

/** All tenants: where to look first. */
export function FleetPage({ fleet, standings, route, go, chosen, onChoose, left }: FleetProps) {
  const days = fleetDays(route.period);
  const rows = useMemo(() => fleetRows(fleet, days), [fleet, days]);
  const list = FLEET_LISTS.find((name) => name === route.list) ?? 'tenants';
  useEffect(() => {
    document.title = `${counted(fleet.tenants.length, 'tenant')} · Secure Score history`;
    if (left === null) return;
    const links = document.querySelectorAll<HTMLElement>('a[data-tenant]');
    [...links].find((link) => link.dataset['tenant'] === left)?.focus();
  }, [fleet]);
  return html`
    <h1>${counted(fleet.tenants.length, 'tenant')}</h1>
    <${Notice} fleet=${fleet} />
    <${FleetFigures} fleet=${fleet} rows=${rows} days=${days} go=${go} />
    <section class="card chart" aria-labelledby="band-heading">
      <div class="chart-head">
        <h2 id="band-heading">Secure Score of all tenants</h2>
        <${FleetPeriods} days=${days} go=${go} />
      </div>
      <${FleetBand} fleet=${fleet} days=${days} />
    </section>
    <section class="card lists" aria-label="Lists">
      <${Tabs}
        names=${FLEET_LISTS}
        titles=${TITLES}
        shown=${list}
        onOpen=${(name: ListName) => go({ list: name, sort: null, search: '', state: null }, true)}
      />
      <div id="list" role="tabpanel" aria-labelledby=${`tab-${list}`}>
        ${list === 'tenants' && html`<${FleetTenants} ...${{ fleet, rows, days, route, go, chosen, onChoose }} />`}
        ${list === 'microsoft' && html`<${FleetMicrosoft} ...${{ fleet, days, route, go }} />`}
        ${list === 'recommendations' && html`<${WithStandings} ...${{ fleet, standings, days, route, go }} />`}
      </div>
    </section>
  `;
}

function WithStandings({ fleet, standings, days, route, go }: FleetProps & { days: number }) {
  const { value, fault } = useLoaded('standings', standings);
  if (fault !== null) return html`<p role="alert">${fault}</p>`;
  return value && html`<${FleetRecommendations} ...${{ fleet, standings: value, days, route, go }} />`;
}

/** Whose data it is: a page of all customers must not go to one of them. */
function Notice({ fleet }: { fleet: Fleet }) {
  const { tenants, archive, made, leftOut } = fleet;
  const example = tenants.find(({ history }) => history !== null)?.name ?? 'name';
  return html`
    <aside class="notice" aria-label="Whose data this is">
      <p>
        <strong
          >This page holds the data of ${counted(tenants.length, 'tenant')}: do not send it to any of
          them.</strong
        >
        ${` It was made on ${fullDay(made)} from the archive ${archive}. The page of one tenant alone is made with `}
        <code>${`--tenant "${example}"`}</code>.
      </p>
      ${
        leftOut > 0 &&
        html`<p>
          ${`${counted(leftOut, 'tenant')} of the archive ${leftOut === 1 ? 'is' : 'are'} not in the config, and not on this page.`}
        </p>`
      }
    </aside>
  `;
}

interface FiguresProps {
  fleet: Fleet;
  rows: FleetRow[];
  days: number;
  go: FleetProps['go'];
}

function FleetFigures({ fleet, rows, days, go }: FiguresProps) {
  const summary = useMemo(() => fleetSummary(rows), [rows]);
  const { account } = summary;
  const since = fullDay(dateOfNumber(fleet.last - days));
  const figure = (number: number, words: string, state: string, tone: string) => html`
    <li>
      <button
        type="button"
        class="figure-link"
        disabled=${number === 0}
        onClick=${() => go({ list: 'tenants', state, sort: null }, true)}
      >
        <strong class=${number === 0 ? 'soft' : tone}>${number.toLocaleString('en-GB')}</strong> ${words}
      </button>
    </li>
  `;
  return html`
    <section class="summary" aria-label="Summary">
      <div class="now">
        <p class="score">${summary.median === null ? '–' : percent(summary.median)}</p>
        <p class="soft">median of the scores</p>
        <p class="soft">${fullDay(dateOfNumber(fleet.last))}</p>
      </div>
      <div class="way">
        ${
          account &&
          html`
            <${Moved} account=${account} words=${`percentage points on average since ${since}`} />
            <${Causes} account=${account} />
          `
        }
      </div>
      <ul class="figures">
        ${figure(summary.lost, 'lost points', 'lost', 'bad')}
        ${figure(summary.lower, 'stand lower', 'lower', 'bad')}
        ${figure(summary.higher, 'stand higher', 'higher', 'good')}
        ${figure(summary.silent, 'silent for 3 days', 'silent', 'bad')}
      </ul>
    </section>
  `;
}

function FleetBand({ fleet, days }: { fleet: Fleet; days: number }) {
  const band = useMemo(() => bandOf(fleet), [fleet]);
  const frame = useRef<HTMLDivElement>(null);
  return html`<div ref=${frame}><${BandChart} last=${fleet.last} band=${band} since=${days} /></div>`;
}
