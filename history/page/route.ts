/** What the page shows, as its address says it: behind the #, so that it can be kept, sent and gone back to. */
export interface Route {
  /** Id; null: the first one. */
  tenant: string | null;
  /** Its name: its page. */
  control: string | null;
  /** yyyy-mm-dd: this day's changes. */
  day: string | null;
  /** 30d, 90d, 1y, all, or two dates with two dots between. Null: the page chooses. */
  period: string | null;
  list: ListName;
  search: string;
  kinds: string[];
  cause: string | null;
  category: string | null;
  state: string | null;
  /** Column, with a - before it where the largest comes first. Null: the list's own order. */
  sort: string | null;
}

export const LISTS = ['changes', 'controls', 'days'] as const;
export type ListName = (typeof LISTS)[number];

export const START: Route = {
  tenant: null,
  control: null,
  day: null,
  period: null,
  list: 'changes',
  search: '',
  kinds: [],
  cause: null,
  category: null,
  state: null,
  sort: null,
};

/** Whatever a link says: what is no route is left out. */
export function parseRoute(hash: string): Route {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const get = (name: string) => given.get(name) || null;
  return {
    tenant: get('tenant'),
    control: get('control'),
    day: /^\d{4}-\d\d-\d\d$/.exec(get('day') ?? '')?.[0] ?? null,
    period: get('period'),
    list: LISTS.find((name) => name === get('list')) ?? START.list,
    search: get('search') ?? '',
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
