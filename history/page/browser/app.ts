import { html } from 'htm/preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { day as fullDay, score } from '../../../lambda/report/format.ts';
import { categoriesOf, movesOf, periodsFor, spanOf, type Span } from '../model.ts';
import { hashOf, LISTS, parseRoute, START, type ListName, type Route } from '../route.ts';
import type { History } from '../wire.ts';
import { Brush } from './brush.ts';
import { Categories, colourOf } from './categories.ts';
import { Changes } from './changes.ts';
import { ComparePage } from './compare.ts';
import { ControlPage } from './control.ts';
import { Controls } from './controls.ts';
import { useLoaded, type PageData } from './data.ts';
import { DayPanel } from './day.ts';
import { Days } from './days.ts';
import { FleetPage } from './fleet.ts';
import { FleetRecommendationPage } from './fleet-recommendation.ts';
import { Header } from './header.ts';
import { Tenant } from './link.ts';
import { Periods } from './periods.ts';
import { Summary } from './summary.ts';
import { Tabs } from './tabs.ts';
import { Symbol, Trend, type Series } from './trend.ts';
import { counted } from './words.ts';

/** The page that the address describes. */
export function App({ data }: { data: PageData }) {
  const [route, go] = useRoute();
  const [chosen, setChosen] = useState<string[]>([]);
  const view = viewOf(route, data);
  // Whoever goes back to all tenants finds them as they were left.
  const all = useRef(hashOf(START));
  if (view === 'fleet') all.current = hashOf(route);
  // The tenant that one comes back from, and where one left.
  const left = useRef<string | null>(null);
  useEffect(() => {
    if (view === 'tenant') left.current = route.tenant;
  }, [view, route.tenant]);

  const parts: Record<View, () => unknown> = {
    fleet: () =>
      html`<${AllTenants} ...${{ data, route, go, chosen, onChoose: setChosen, left: left.current }} />`,
    recommendation: () => html`<${InAllTenants} ...${{ data, route, go }} />`,
    compare: () => html`
      <${Main} isBusy=${false} fault=${null}><${ComparePage} ...${{ data, route, go }} /></${Main}>
      <${Footer} />
    `,
    tenant: () => html`<${OneTenant} ...${{ data, route, go }} />`,
  };
  return html`
    <${Header} back=${data.hasFleet && view !== 'fleet' ? all.current : null} />
    ${parts[view]()}
  `;
}

type View = 'fleet' | 'recommendation' | 'compare' | 'tenant';

function viewOf(route: Route, data: PageData): View {
  if (!data.hasFleet || route.tenant !== null) return 'tenant';
  if (route.compare.length > 0) return 'compare';
  return route.control === null ? 'fleet' : 'recommendation';
}

interface ViewProps {
  data: PageData;
  route: Route;
  go: Go;
}

/** A main part that is there when its data is. */
function Main({ isBusy, fault, children }: { isBusy: boolean; fault: string | null; children?: unknown }) {
  return html`
    <main id="main" tabindex="-1" aria-busy=${String(isBusy)}>
      ${fault !== null && html`<p role="alert">The history cannot be read: ${fault}</p>`} ${children}
    </main>
  `;
}

interface AllProps extends ViewProps {
  chosen: string[];
  onChoose: (ids: string[]) => void;
  left: string | null;
}

function AllTenants({ data, ...rest }: AllProps) {
  const { value: fleet, fault } = useLoaded('fleet', data.fleet);
  return html`
    <${Main} isBusy=${fleet === null} fault=${fault}>
      ${fleet && html`<${FleetPage} fleet=${fleet} standings=${data.standings} ...${rest} />`}
    </${Main}>
    <${Footer} />
  `;
}

function InAllTenants({ data, route, go }: ViewProps) {
  const { value, fault } = useLoaded('both', () => Promise.all([data.fleet(), data.standings()]));
  return html`
    <${Main} isBusy=${value === null} fault=${fault}>
      ${value && html`<${FleetRecommendationPage} ...${{ fleet: value[0], standings: value[1], name: route.control, route, go }} />`}
    </${Main}>
    <${Footer} />
  `;
}

function OneTenant({ data, route, go }: ViewProps) {
  const tenant = data.hasFleet
    ? (data.tenants.find(({ id }) => id === route.tenant) ?? null)
    : (data.tenants.find(({ id }) => id === route.tenant) ?? data.tenants[0]!);
  const { value: history, fault } = useLoaded(tenant?.id ?? null, () => data.history(tenant!.id));
  const links = useMemo(() => {
    const muted = history?.controls.filter((control) => control.muted).map(({ name }) => name);
    return { id: route.tenant, muted: new Set(muted) };
  }, [history, route.tenant]);
  const days = history?.days;
  return html`
    <${Tenant.Provider} value=${links}>
      <${Main} isBusy=${tenant !== null && history === null} fault=${fault}>
        ${
          tenant === null &&
          html`<h1>Unknown tenant</h1>
            <p>This tenant is not on this page.</p>`
        }
        ${history && html`<${Page} key=${history.id} history=${history} route=${route} go=${go} hasFleet=${data.hasFleet} />`}
      </${Main}>
      <${Footer}>
        ${days && `${counted(days.length, 'day')}, ${fullDay(days[0]!.date)} to ${fullDay(days.at(-1)!.date)}. `}
      </${Footer}>
    </${Tenant.Provider}>
  `;
}

function Footer({ children }: { children?: unknown }) {
  return html`<footer class="soft">
    <p>${children}Made from the archive by secure-score history open; nothing is fetched from anywhere.</p>
  </footer>`;
}

type Go = (change: Partial<Route>, step?: boolean) => void;

/** The address of the page, and how to change it: as a step that one can go back from, or in its place. */
function useRoute(): [Route, Go] {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  const current = useRef(route);
  const set = (next: Route) => {
    current.current = next;
    setRoute(next);
  };
  useEffect(() => {
    const follow = () => set(parseRoute(location.hash));
    addEventListener('popstate', follow);
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('popstate', follow);
      removeEventListener('hashchange', follow);
    };
  }, []);
  const go = useCallback<Go>((change, step = false) => {
    const next = { ...current.current, ...change };
    const hash = hashOf(next);
    try {
      window.history[step ? 'pushState' : 'replaceState'](null, '', hash);
    } catch {
      // Browsers limit the number of history entries in a short time; the page works without them.
    }
    set(next);
  }, []);
  return [route, go];
}

interface PageProps {
  history: History;
  route: Route;
  go: Go;
  /** Whether there is more to see of a recommendation in other tenants. */
  hasFleet: boolean;
}

function Page({ history, route, go, hasFleet }: PageProps) {
  const moves = useMemo(() => movesOf(history), [history]);
  const changesOf = useMemo(() => Map.groupBy(history.changes, ({ date }) => date), [history]);
  const categories = useMemo(() => categoriesOf(history), [history]);
  const { days } = history;
  const last = days.at(-1)!;
  const left = useRef<string | null>(null);
  const { control } = route;
  const onDay = useCallback((date: string) => go({ control: null, day: date }, true), []);

  useEffect(() => {
    document.title = `${control ?? `${history.name}: ${score(last)}`} · Secure Score history`;
    // Back from a control's page: where one left.
    if (control !== null) left.current = control;
    else if (left.current !== null) {
      const links = document.querySelectorAll<HTMLElement>('a[data-control]');
      [...links].find((link) => link.dataset['control'] === left.current)?.focus();
      left.current = null;
    }
  }, [control, history]);

  if (control !== null) {
    const back = hashOf({ ...route, control: null });
    const others = hasFleet ? hashOf({ ...START, control }) : null;
    return html`<${ControlPage} ...${{ history, name: control, back, others, onDay }} />`;
  }
  return html`<${Overview} ...${{ history, moves, changesOf, categories, route, go }} />`;
}

type OverviewProps = Omit<PageProps, 'hasFleet'> & {
  moves: ReturnType<typeof movesOf>;
  changesOf: Map<string, History['changes']>;
  categories: ReturnType<typeof categoriesOf>;
};

const PEERS = [
  { name: 'Similar size', key: 'peersSimilar' },
  { name: 'All tenants', key: 'peersAll' },
] as const;

function Overview({ history, moves, changesOf, categories, route, go }: OverviewProps) {
  const { days } = history;
  const periods = periodsFor(days);
  const period = route.period ?? periods.find(({ name }) => name === '1y')?.name ?? 'all';
  const span = useMemo(() => spanOf(days, period), [days, period]);
  const [peers, setPeers] = useState<string[]>(['Similar size']);
  const [lines, setLines] = useState<string[]>([]);
  const [byKeys, setByKeys] = useState(false);
  const plot = useRef<HTMLDivElement>(null);

  const series = useMemo((): Series[] => {
    const ofPeers = PEERS.filter(({ name }) => peers.includes(name)).map(({ name, key }): Series => {
      return { name, colour: `peers-${key}`, dashed: true, values: days.map((day) => day[key]) };
    });
    const ofCategories = categories.flatMap(({ name, percentages }, place): Series[] =>
      lines.includes(name) ? [{ name, colour: colourOf(place), dashed: false, values: percentages }] : [],
    );
    return [...ofPeers, ...ofCategories];
  }, [days, categories, peers, lines]);

  const picked = route.day === null ? -1 : days.findIndex(({ date }) => date === route.day);
  const onPick = useCallback(
    (index: number, by: 'pointer' | 'keys') => {
      setByKeys(by === 'keys');
      go({ day: days[index]!.date }, true);
    },
    [days],
  );
  const zoom = useCallback(
    ({ from, to }: Span) => {
      const isAll = from === 0 && to === days.length - 1;
      go({ period: isAll ? 'all' : `${days[from]!.date}..${days[to]!.date}` });
    },
    [days],
  );
  const toggle = (all: string[], name: string) =>
    all.includes(name) ? all.filter((each) => each !== name) : [...all, name];
  const isCustom = period.includes('..');

  return html`
    <h1>${history.name}</h1>
    <${Summary} history=${history} moves=${moves} span=${span} />
    <section class="card chart" aria-labelledby="trend-heading">
      <div class="chart-head">
        <h2 id="trend-heading">Secure Score</h2>
        <${Periods} periods=${periods} shown=${period} go=${go}>
          ${
            isCustom &&
            html`<span class="custom"
              >${fullDay(days[span.from]!.date)} – ${fullDay(days[span.to]!.date)}</span
            >`
          }
        </${Periods}>
      </div>
      <div ref=${plot}>
        <${Trend}
          ...${{ history, moves, changesOf, span, series, onPick, onZoom: zoom, picked: picked === -1 ? null : picked }}
        />
      </div>
      <p class="keys no-print" aria-hidden="true">
        ← → day by day · PgUp PgDn to the next change · Enter shows the day
      </p>
      <${Brush} days=${days} span=${span} onChange=${zoom} />
      <div class="legend">
        <span
          ><svg width="14" height="14" aria-hidden="true"><${Symbol} by="here" x=${7} y=${7} /></svg>moved
          here</span
        >
        <span
          ><svg width="14" height="14" aria-hidden="true"><${Symbol} by="microsoft" x=${7} y=${7} /></svg
          >re-scored by Microsoft</span
        >
        <span class="toggles" role="group" aria-label="Peers in the chart">
          ${PEERS.filter(({ key }) => days.some((day) => day[key] !== null)).map(
            ({ name, key }) => html`
              <button
                type="button"
                class="chip"
                aria-pressed=${String(peers.includes(name))}
                onClick=${() => setPeers(toggle(peers, name))}
              >
                <span class=${`key dashed peers-${key}`} aria-hidden="true"></span>${name}
              </button>
            `,
          )}
        </span>
      </div>
    </section>
    ${
      picked !== -1 &&
      html`<${DayPanel}
        history=${history}
        moves=${moves}
        changes=${changesOf.get(days[picked]!.date) ?? []}
        day=${picked}
        focus=${byKeys}
        onGo=${(index: number) => go({ day: days[index]!.date }, true)}
        onClose=${() => {
          go({ day: null }, true);
          plot.current?.querySelector<HTMLElement>('.plot')?.focus();
        }}
      />`
    }
    <h2 class="hidden">Categories</h2>
    <${Categories}
      categories=${categories}
      span=${span}
      shown=${lines}
      onToggle=${(name: string) => setLines(toggle(lines, name))}
    />
    <${Lists} ...${{ history, moves, span, route, go }} />
  `;
}

interface ListsProps {
  history: History;
  moves: OverviewProps['moves'];
  span: Span;
  route: Route;
  go: Go;
}

const TITLES: Record<(typeof LISTS)[number], string> = {
  changes: 'Changes',
  controls: 'Recommendations',
  days: 'Days',
};

function Lists({ history, moves, span, route, go }: ListsProps) {
  const { days } = history;
  const changes = useMemo(() => {
    const [from, to] = [days[span.from]!.date, days[span.to]!.date];
    const first = span.from === 0;
    return history.changes
      .filter(({ date }) => (first ? date >= from : date > from) && date <= to)
      .toReversed();
  }, [history, span.from, span.to]);
  const names = useMemo(
    () => [...new Set(history.controls.flatMap(({ category }) => category ?? []))].toSorted(),
    [history],
  );
  const list = LISTS.find((name) => name === route.list) ?? 'changes';
  const numbers = { changes: changes.length, days: span.to - span.from + 1 };
  return html`
    <section class="card lists" aria-label="Lists">
      <${Tabs}
        names=${LISTS}
        titles=${TITLES}
        numbers=${numbers}
        shown=${list}
        onOpen=${(name: ListName) => go({ list: name, sort: null, search: '', state: null }, true)}
      />
      <div id="list" role="tabpanel" aria-labelledby=${`tab-${list}`}>
        ${list === 'changes' && html`<${Changes} ...${{ changes, categories: names, route, go }} />`}
        ${list === 'controls' && html`<${Controls} ...${{ history, day: span.to, categories: names, route, go }} />`}
        ${list === 'days' && html`<${Days} ...${{ history, moves, span, route, go }} />`}
      </div>
    </section>
  `;
}
