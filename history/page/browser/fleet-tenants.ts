import { html } from 'htm/preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { day as fullDay, signedUnits } from '../../../lambda/report/format.ts';
import { isSilent, matchesTenant, tagsOf, type FleetRow } from '../fleet-model.ts';
import type { FleetControl, FleetTenant } from '../fleet-wire.ts';
import { hashOf, MOST_COMPARED, START } from '../route.ts';
import { dateOfNumber } from '../wire.ts';
import { Filters, stateChoice, type Choice } from './fields.ts';
import type { FleetProps } from './fleet-props.ts';
import { Sparkline } from './sparkline.ts';
import { Table, type Column } from './table.ts';
import { counted, cut, percent, tenths, type Drawn } from './words.ts';

type TenantsProps = Omit<FleetProps, 'standings' | 'left'> & { rows: FleetRow[]; days: number };

const STATES: [string, string][] = [
  ['lost', 'lost points'],
  ['lower', 'stand lower'],
  ['higher', 'stand higher'],
  ['silent', 'silent for 3 days'],
];

/** The number of tags that are shown as buttons: more are a list to choose from. */
const MOST_CHIPS = 8;

/** A row a tenant; what lost most is on top. */
export function FleetTenants({ fleet, rows, days, route, go, chosen, onChoose }: TenantsProps) {
  const { search, tag, state } = route;
  const tags = useMemo(() => tagsOf(fleet), [fleet]);
  const shown = useMemo(
    () => rows.filter((row) => matchesTenant(row, { search, tag, state })),
    [rows, search, tag, state],
  );
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const find = (event: KeyboardEvent) => {
      const isTyping = (event.target as Element | null)?.matches?.('input,select,textarea');
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      frame.current?.querySelector<HTMLElement>('.search')?.focus();
    };
    addEventListener('keydown', find);
    return () => removeEventListener('keydown', find);
  }, []);
  const toggle = (id: string) =>
    onChoose(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  const columns = useMemo(() => columnsOf(chosen, toggle), [chosen]);
  const tagChoice: Choice = {
    field: 'tag',
    label: 'Tag',
    options: tags.map(([name, number]) => [name, `#${name} (${number})`]),
    all: 'Any tag',
  };
  const choices = [stateChoice(STATES), ...(tags.length > MOST_CHIPS ? [tagChoice] : [])];
  const isFiltered = search !== '' || tag !== null || state !== null;
  return html`
    <div ref=${frame}>
      <${Filters} label="Search the tenants" choices=${choices} route=${route} go=${go} />
      <div class="chips no-print" role="group" aria-label="Tags">
        ${
          tags.length <= MOST_CHIPS &&
          tags.map(
            ([name, number]) => html`
              <button
                type="button"
                class="chip"
                aria-pressed=${String(tag === name)}
                onClick=${() => go({ tag: tag === name ? null : name })}
              >
                #${name} <span class="soft">${number}</span>
              </button>
            `,
          )
        }
        ${
          isFiltered &&
          html`<button
            type="button"
            class="clear"
            onClick=${() => go({ search: '', tag: null, state: null })}
          >
            Clear filters
          </button>`
        }
      </div>
      <p class="result soft" role="status">
        ${isFiltered ? `${shown.length.toLocaleString('en-GB')} of ${counted(rows.length, 'tenant')}` : counted(rows.length, 'tenant')},
        changes since ${fullDay(dateOfNumber(fleet.last - days))}
      </p>
      <div class="fleet-table" onKeyDown=${alongRows}>
        <${Table}
          caption="Tenants"
          columns=${columns}
          rows=${shown}
          rowKey=${({ tenant }: FleetRow) => tenant.id}
          sort=${route.sort ?? 'loss'}
          onSort=${(sort: string) => go({ sort })}
          printed=${2000}
          empty="No tenant matches."
        />
      </div>
      <${Chosen} fleet=${fleet} chosen=${chosen} onChoose=${onChoose} />
    </div>
  `;
}

/** Up and down go from row to row, in the column that one is in. */
function alongRows(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const from = event.target as HTMLElement;
  const row = from.closest('tbody tr');
  const name = from.closest('td')?.className;
  if (step === undefined || !row || name === undefined) return;
  const to = step > 0 ? row.nextElementSibling : row.previousElementSibling;
  const next = [...(to?.querySelectorAll('td') ?? [])].find((cell) => cell.className === name);
  event.preventDefault();
  (next?.querySelector<HTMLElement>('a,input') ?? to?.querySelector<HTMLElement>('a'))?.focus();
}

interface ChosenProps {
  fleet: FleetProps['fleet'];
  chosen: string[];
  onChoose: (ids: string[]) => void;
}

/** Those that are chosen to be compared. */
function Chosen({ fleet, chosen, onChoose }: ChosenProps) {
  const names = chosen.map((id) => fleet.tenants.find((tenant) => tenant.id === id)?.name ?? id);
  return html`
    <div
      class=${`chosen no-print ${chosen.length === 0 ? 'none' : ''}`}
      role="region"
      aria-label="Comparison"
    >
      <p role="status">
        ${chosen.length > 0 && `${chosen.length} of ${MOST_COMPARED} to compare: ${names.join(', ')}`}
      </p>
      ${
        chosen.length > 1 &&
        html`<a class="button" href=${hashOf({ ...START, compare: chosen })}
          >Compare ${chosen.length} tenants</a
        >`
      }
      ${chosen.length > 0 && html`<button type="button" onClick=${() => onChoose([])}>Choose none</button>`}
    </div>
  `;
}

function columnsOf(chosen: string[], toggle: (id: string) => void): Column<FleetRow>[] {
  return [
    {
      name: 'choose',
      label: 'Compare',
      quiet: true,
      cell: ({ tenant }) =>
        tenant.history === null
          ? ''
          : html`<input
              type="checkbox"
              aria-label=${`Compare ${tenant.name}`}
              checked=${chosen.includes(tenant.id)}
              disabled=${!chosen.includes(tenant.id) && chosen.length >= MOST_COMPARED}
              onChange=${() => toggle(tenant.id)}
            />`,
    },
    {
      name: 'tenant',
      label: 'Tenant',
      sort: ({ tenant }) => tenant.name.toLocaleLowerCase('en'),
      cell: ({ tenant }) => html`
        <${TenantLink} tenant=${tenant} />
        ${tenant.tags.length > 0 && html`<span class="about soft">${tenant.tags.map((tag) => `#${tag}`).join(' ')}</span>`}
      `,
    },
    {
      name: 'score',
      label: 'Score',
      number: true,
      sort: ({ percentage }) => percentage ?? -1,
      cell: ({ percentage }) =>
        percentage === null ? html`<span class="soft">–</span>` : percent(percentage),
    },
    {
      name: 'line',
      label: '90 days',
      cell: ({ tenant }) =>
        tenant.history === null
          ? ''
          : html`<${Sparkline} values=${tenant.line} width=${120} height=${30} leastSpan=${6} />`,
    },
    {
      name: 'change',
      label: 'Change',
      number: true,
      sort: ({ exact }) => exact?.total ?? 0,
      cell: change,
    },
    { name: 'loss', label: 'Largest loss', sort: ({ loss }) => loss?.share ?? 0, cell: largestLoss },
    {
      name: 'latest',
      label: 'Last snapshot',
      sort: ({ tenant }) => tenant.latest ?? 0,
      cell: lastSnapshot,
    },
  ];
}

/** To a tenant's page: an address of its own, so that it also opens in a new tab. */
export function TenantLink({ tenant, control }: { tenant: FleetTenant; control?: FleetControl }): Drawn {
  if (tenant.history === null) return html`<span>${tenant.name}</span>`;
  const route = { ...START, tenant: tenant.id, control: control?.name ?? null };
  return html`<a href=${hashOf(route)} data-tenant=${tenant.id}>${tenant.name}</a>`;
}

/** The change, and by cause what it is made of; as printed, it adds up. */
function change({ account }: FleetRow): Drawn {
  if (account === null) return html`<span class="soft">–</span>`;
  const parts: [string, number][] = [
    ['here', account.earned],
    ['decisions', account.decided],
    ['Microsoft', account.rescored],
    ['not explained', account.unexplained],
  ];
  const moved = parts.filter(([, value]) => value !== 0);
  const tone = account.total > 0 ? 'good' : account.total < 0 ? 'bad' : 'soft';
  return html`
    <span class=${`total ${tone}`}>${account.total === 0 ? '±0' : signedUnits(account.total, 1)}</span>
    ${
      moved.length > 0 &&
      html`<span class="about soft"
        >${moved.map(([name, value]) => `${name}\u00A0${signedUnits(value, 1)}`).join(' · ')}</span
      >`
    }
  `;
}

function largestLoss({ loss, tenant }: FleetRow): Drawn {
  if (loss === null) return '';
  const { control, share } = loss;
  const muted = control !== null && tenant.muted.has(control.place);
  const amount = html`<span class="bad">${tenths(share)}</span>`;
  if (control === null) return amount;
  const href = hashOf({ ...START, tenant: tenant.id, control: control.name });
  return html`
    ${amount} <a class="quiet" href=${href}>${cut(control.title, 64)}</a>
    ${muted && html` <span class="badge">muted</span>`}
  `;
}

function lastSnapshot(row: FleetRow): Drawn {
  const { tenant, age } = row;
  if (tenant.latest === null || age === null) return html`<span class="bad">none yet</span>`;
  const date = fullDay(dateOfNumber(tenant.latest));
  if (!isSilent(row)) return date;
  return html`<span class="bad">${date}</span><span class="about bad">${counted(age, 'day')} ago</span>`;
}
