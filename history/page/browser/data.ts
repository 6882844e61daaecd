import { useEffect, useState } from 'preact/hooks';
import { decodeFleet, type Fleet, type WireFleet, type WireStandings } from '../fleet-wire.ts';
import { decode, type History, type WireTenant } from '../wire.ts';
import { hasPart, readPart } from './parts.ts';

/** A tenant whose history is on the page. */
export interface TenantEntry {
  id: string;
  name: string;
}

/** What the page holds. Everything is read when somebody looks at it, once. */
export interface PageData {
  /** At least one. */
  tenants: TenantEntry[];
  /** Whether it has several tenants, and begins with them. */
  hasFleet: boolean;
  history: (id: string) => Promise<History>;
  fleet: () => Promise<Fleet>;
  standings: () => Promise<WireStandings>;
}

export function pageData(): PageData {
  const tenants = JSON.parse(document.getElementById('tenants')?.textContent || '[]') as TenantEntry[];
  const places = new Map(tenants.map(({ id }, place) => [id, place]));
  const catalogue = () => readPart<string[]>('catalogue');
  return {
    tenants,
    hasFleet: hasPart('fleet'),
    history: once(async (id) => {
      const part = readPart<WireTenant>(`tenant-${places.get(id)}`);
      return decode(await part, await catalogue());
    }),
    fleet: once(async () => decodeFleet(await readPart<WireFleet>('fleet'), await catalogue())),
    standings: () => readPart<WireStandings>('standings'),
  };
}

/** What was read once is not read again; what failed is. */
function once<Value>(read: (key: string) => Promise<Value>): (key?: string) => Promise<Value> {
  const known = new Map<string, Promise<Value>>();
  return (key = '') => {
    let value = known.get(key);
    if (!value) {
      value = read(key);
      value.catch(() => known.delete(key));
      known.set(key, value);
    }
    return value;
  };
}

export interface Loaded<Value> {
  value: Value | null;
  /** For people. */
  fault: string | null;
}

/** @param key what is loaded: another one is loaded again; null: nothing */
export function useLoaded<Value>(key: string | null, load: () => Promise<Value>): Loaded<Value> {
  const [loaded, setLoaded] = useState<Loaded<Value> & { key: string | null }>({
    key,
    value: null,
    fault: null,
  });
  useEffect(() => {
    if (key === null) return undefined;
    let isWanted = true;
    const set = (value: Value | null, fault: string | null) => isWanted && setLoaded({ key, value, fault });
    load().then(
      (value) => set(value, null),
      (error: unknown) => set(null, error instanceof Error ? error.message : String(error)),
    );
    return () => {
      isWanted = false;
    };
  }, [key]);
  // What was loaded before belongs to another key.
  return loaded.key === key ? loaded : { value: null, fault: null };
}
