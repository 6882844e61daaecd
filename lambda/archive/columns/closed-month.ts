import type { ObjectStore } from '../../ports.ts';
import { layout } from '../layout.ts';
import { STRETCHES, TABLES, type Table } from './tables.ts';

/* What readers of closed months need; closed.ts makes them. */

/** The stored record of a month. */
export interface ClosedMonth {
  version: 1;
  /** The form of the copies: absent, a row group for each tenant; 3, row groups of many tenants, and stretches. */
  form?: number;
  /** False while only the files of the tenants are valid. */
  closed: boolean;
  /** The process that is closing it now. */
  closing: string | null;
  /** Ids of the tenants whose rows are in the copies. All others have theirs in their own files. */
  tenants: string[];
  /** Whether the copies hold every tenant of the month. Records of release 0.1.0 do not state it. */
  complete?: boolean;
  /** Keys of the copies. */
  copies: Record<Table['name'], string[]>;
  /** Keys of the stretches of controls (STRETCHES); absent in records of earlier forms. */
  stretches?: string[];
}

export const OPEN: ClosedMonth = {
  version: 1,
  closed: false,
  closing: null,
  tenants: [],
  copies: { scores: [], controls: [], changes: [] },
};

/**
 * @param month yyyy-mm
 * @returns null for anything but a record of that month, so that the files of the tenants are read
 */
export function parseClosedMonth(bytes: Uint8Array, month: string): ClosedMonth | null {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as ClosedMonth;
    const isList = (value: unknown, isItem: (each: string) => boolean) =>
      Array.isArray(value) && value.every((each) => typeof each === 'string' && isItem(each));
    const isSound =
      record.version === 1 &&
      isList(record.tenants, () => true) &&
      TABLES.every(({ name }) =>
        isList(record.copies[name], (key) => layout.parseClosedColumns(name, month, key) !== null),
      ) &&
      isList(record.stretches ?? [], (key) => layout.parseClosedColumns(STRETCHES.name, month, key) !== null);
    return isSound ? record : null;
  } catch {
    return null;
  }
}

interface Versioned {
  month: ClosedMonth;
  version: string | null;
}

/** The record of a month; that of an open month where there is none, or none that can be read. */
export async function readClosedMonth(store: ObjectStore, month: string): Promise<Versioned> {
  const object = await store.get(layout.closedMonth(month));
  if (!object) return { month: OPEN, version: null };
  return { month: parseClosedMonth(object.bytes, month) ?? OPEN, version: object.version };
}

/** Months (yyyy-mm) that were closed at some time, ascending. */
export async function monthsWithRecord(store: ObjectStore): Promise<string[]> {
  const keys = await store.list(layout.closedMonths);
  return keys.flatMap((key) => /\/(\d{4}-\d\d)\.json$/.exec(key)?.[1] ?? []).toSorted();
}
