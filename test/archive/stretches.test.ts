import { array, assert, constantFrom, dictionary, option, pre, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { concatenated, merged, rowsOf } from '../../lambda/archive/columns/coded.ts';
import type { Row } from '../../lambda/archive/columns/rows.ts';
import { stretchesOf } from '../../lambda/archive/columns/stretches.ts';
import { STRETCHES, TABLES } from '../../lambda/archive/columns/tables.ts';
import { addDays } from '../../lambda/dates.ts';

const CONTROLS = TABLES.find(({ name }) => name === 'controls')!;
const COMPARED = STRETCHES.columns.flatMap(({ name }) => (name.endsWith('_date') ? [] : name));

/** Which days of a month a control has, and how it stands on them. */
const standing = record({
  points: constantFrom(0, 5),
  state: constantFrom(null, 'Ignored'),
  title: constantFrom('Alpha', 'Beta'),
  last_synced: constantFrom('2026-01-01', '2026-01-02'),
});
const tenantDays = dictionary(
  constantFrom('alpha', 'beta'),
  array(option(standing, { freq: 3 }), { maxLength: 12 }),
);

function rowsOfTenant(tenant: string, controls: Record<string, (object | null)[]>): Row[] {
  return Object.entries(controls).flatMap(([control, days]) =>
    days.flatMap((stood, index) => {
      const empty = Object.fromEntries(CONTROLS.columns.map(({ name }) => [name, null]));
      return stood ? [{ ...empty, ...stood, tenant, control, date: addDays('2026-01-01', index) }] : [];
    }),
  );
}

const keyOf = (row: Row, date: unknown) => JSON.stringify([date, ...COMPARED.map((name) => row[name])]);

it('stretches have each day of a control once, as it stood, and no two of them could be one', () => {
  assert(
    property(array(tenantDays, { minLength: 1, maxLength: 3 }), (tenants) => {
      const rows = tenants.flatMap((controls, index) => rowsOfTenant(`tenant-${index}`, controls));
      const parts = [...Map.groupBy(rows, ({ tenant }) => tenant).values()];
      pre(rows.length > 0);
      const coded = stretchesOf(concatenated(parts.map((part) => merged(CONTROLS, null, null, part))));
      const stretches = rowsOf(STRETCHES, coded);
      const days = stretches.flatMap((stretch) => {
        const found: string[] = [];
        for (
          let date = String(stretch['first_date']);
          date <= String(stretch['last_date']);
          date = addDays(date, 1)
        )
          found.push(keyOf(stretch, date));
        return found;
      });
      expect(days.toSorted()).toEqual(rows.map((row) => keyOf(row, row.date)).toSorted());
      const begins = new Set(stretches.map((stretch) => keyOf(stretch, stretch['first_date'])));
      for (const stretch of stretches)
        expect(begins).not.toContain(keyOf(stretch, addDays(String(stretch['last_date']), 1)));
    }),
  );
});
