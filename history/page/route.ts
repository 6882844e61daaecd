/** What the page shows, written in its address behind the #, so that it can be saved, sent and gone back to. */
export interface Route {
  /** Id; null: all of them, or the only one. */
  tenant: string | null;
  /** Ids of those that are compared. */
  compare: string[];
  /** Its name: its page. */
  control: string | null;
  /** yyyy-mm-dd: this day's changes. */
  day: string | null;
  /** 30d, 90d, 1y, all, or two dates with two dots between. Null: the page chooses. */
  period: string | null;
  /** Null: the view's first one. */
  list: ListName | null;
  search: string;
  tag: string | null;
  kinds: string[];
  cause: string | null;
  category: string | null;
  state: string | null;
  /** Column, with a - before it where the largest comes first. Null: the list's own order. */
  sort: string | null;
}

/** Of a tenant, */
export const LISTS = ['changes', 'controls', 'days'] as const;
/** and of all of them. */
export const FLEET_LISTS = ['tenants', 'microsoft', 'recommendations'] as const;
export type ListName = (typeof LISTS)[number] | (typeof FLEET_LISTS)[number];

/** The most tenants in one chart: more lines cannot be distinguished. */
export const MOST_COMPARED = 5;

export const START: Route = {
  tenant: null,
  compare: [],
  control: null,
  day: null,
  period: null,
  list: null,
  search: '',
  tag: null,
  kinds: [],
  cause: null,
  category: null,
  state: null,
  sort: null,
};

/** The route of any link; parts that are no route are left out. */
export function parseRoute(hash: string): Route {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const get = (name: string) => given.get(name) || null;
  return {
    tenant: get('tenant'),
    compare: [...new Set(get('compare')?.split(',').filter(Boolean))].slice(0, MOST_COMPARED),
    control: get('control'),
    day: /^\d{4}-\d\d-\d\d$/.exec(get('day') ?? '')?.[0] ?? null,
    period: get('period'),
    list: [...LISTS, ...FLEET_LISTS].find((name) => name === get('list')) ?? null,
    search: get('search') ?? '',
    tag: get('tag'),
    kinds: get('kinds')?.split(',').filter(Boolean) ?? [],
    cause: get('cause'),
    category: get('category'),
    state: get('state'),
    sort: get('sort'),
  };
}

/** The address of a route, with its #; what is as at the start is left out. */
export function hashOf(route: Route): string {
  const params = new URLSearchParams();
  for (const name of Object.keys(START) as (keyof Route)[]) {
    const value = String(route[name] ?? '');
    if (value !== '' && value !== String(START[name] ?? '')) params.set(name, value);
  }
  return `#${params.toString()}`;
}
