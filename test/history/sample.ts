import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TABLES, type Table } from '../../lambda/archive/columns/tables.ts';
import { merged } from '../../lambda/archive/columns/coded.ts';
import { toParquet } from '../../lambda/archive/columns/parquet.ts';
import type { Row } from '../../lambda/archive/columns/rows.ts';

/** Two tenants, nine days: small enough to work every answer out by hand. */

export const CONTOSO = 'aaaaaaaa-0000-4000-8000-000000000001';
export const FABRIKAM = 'bbbbbbbb-0000-4000-8000-000000000002';

type Cells = Record<string, string | number | boolean | null>;
export type Rows = Record<Table['name'], Cells[]>;

/** Who of Contoso has how many points of `mfa` on which day: lost twice, won back twice. */
const MFA = {
  '2026-01-30': 40,
  '2026-01-31': 30,
  '2026-02-01': 40,
  '2026-02-02': 30,
  // 2026-02-03 is suspect: see below.
  '2026-02-04': 30,
  '2026-02-05': 40,
  '2026-02-06': 40,
};

const TITLES: Record<string, [title: string, category: string]> = {
  mfa: ['Require MFA', 'Identity'],
  legacy: ['Block legacy sign-in', 'Identity'],
  dlp: ['Have a DLP policy', 'Data'],
  '2.dlp': ['Have a DLP policy', 'Data'],
  safe: ["Safe Links, and 'quotes'", 'Apps'],
  odd: ['Of unknown maximum', 'Apps'],
};

/** As Graph says it, in mixed case or not at all. */
const EFFORT: Record<string, string> = { mfa: 'Low', dlp: 'HIGH', '2.dlp': 'high' };

export const SAMPLE: Rows = { scores: [], controls: [], changes: [] };

function control(tenant: string, date: string, name: string, fields: Cells): void {
  const [title, category] = TITLES[name] ?? ['', ''];
  SAMPLE.controls.push({
    tenant,
    date,
    control: name,
    title,
    category,
    service: 'AAD',
    state: null,
    state_by: null,
    state_at: null,
    last_synced: `${date}T00:00:00Z`,
    effort: EFFORT[name] ?? null,
    ...fields,
  });
}

function score(tenant: string, date: string, fields: Cells): void {
  SAMPLE.scores.push({ tenant, date, services: 'AAD,Exchange', counted: true, ...fields });
}

function change(tenant: string, date: string, previous: string, kind: string, fields: Cells): void {
  const [title, category] = TITLES[String(fields['control'])] ?? ['Enabled services', null];
  SAMPLE.changes.push({
    tenant,
    date,
    previous_date: previous,
    kind,
    control: null,
    previous_control: null,
    title,
    category,
    percentage_points: 0,
    cause: null,
    decision: null,
    decided_by: null,
    ...fields,
  });
}

// Contoso: mfa 50 + dlp 30 + legacy 20 = 100 points to be had; on the last day 25 more.
for (const [date, mfa] of Object.entries(MFA)) {
  const decided = date >= '2026-02-04';
  control(CONTOSO, date, 'mfa', { points: mfa, maximum: 50, percentage: 2 * mfa });
  control(CONTOSO, date, 'dlp', { points: 10, maximum: 30, percentage: 100 / 3 });
  control(CONTOSO, date, 'legacy', {
    points: 0,
    maximum: 20,
    percentage: 0,
    ...(decided ? { state: 'Ignored', state_by: 'ada@contoso.com', state_at: '2026-02-03T12:00:00Z' } : null),
  });
  const safe = date === '2026-02-06';
  if (safe) control(CONTOSO, date, 'safe', { points: 0, maximum: 25, percentage: 0 });
  const points = mfa + 10;
  const maximum = safe ? 125 : 100;
  score(CONTOSO, date, {
    points,
    maximum,
    percentage: (100 * points) / maximum,
    controls: safe ? 4 : 3,
    peers_all: 45,
    peers_similar: null,
  });
}
control(CONTOSO, '2026-02-03', 'legacy', { points: 0, maximum: 20, percentage: 0 });
score(CONTOSO, '2026-02-03', {
  points: 0,
  maximum: 20,
  percentage: 0,
  controls: 1,
  peers_all: 45,
  peers_similar: null,
  counted: false,
});
const mfa = (before: number, after: number, maximum: number, share: number, cause: string): Cells => ({
  control: 'mfa',
  points_before: before,
  points_after: after,
  maximum_before: maximum,
  maximum_after: maximum,
  percentage_points: share,
  cause,
});
change(CONTOSO, '2026-01-31', '2026-01-30', 'lost', mfa(40, 30, 50, -10, 'earned'));
change(CONTOSO, '2026-02-01', '2026-01-31', 'gained', mfa(30, 40, 50, 10, 'earned'));
change(CONTOSO, '2026-02-02', '2026-02-01', 'lost', mfa(40, 30, 50, -10, 'earned'));
change(CONTOSO, '2026-02-04', '2026-02-02', 'decided', {
  control: 'legacy',
  points_before: 0,
  points_after: 0,
  maximum_before: 20,
  maximum_after: 20,
  decision: 'Ignored',
  decided_by: 'ada@contoso.com',
});
change(CONTOSO, '2026-02-05', '2026-02-04', 'gained', mfa(30, 40, 50, 10, 'earned'));
change(CONTOSO, '2026-02-06', '2026-02-05', 'new', {
  control: 'safe',
  points_before: null,
  points_after: 0,
  maximum_before: null,
  maximum_after: 25,
  percentage_points: -10,
  cause: 'rescored',
});

// Fabrikam: mfa 50 + dlp 50 = 100 points to be had; mfa loses 20 on the 4th, dlp is renamed on the 5th.
for (const day of [1, 2, 3, 4, 5, 6]) {
  const date = `2026-02-0${day}`;
  const points = day < 4 ? 50 : 30;
  control(FABRIKAM, date, 'mfa', { points, maximum: 50, percentage: 2 * points });
  control(FABRIKAM, date, day < 5 ? 'dlp' : '2.dlp', { points: 20, maximum: 50, percentage: 40 });
  control(FABRIKAM, date, 'odd', { points: 0, maximum: null, percentage: 0 });
  score(FABRIKAM, date, {
    points: points + 20,
    maximum: 100,
    percentage: points + 20,
    controls: 3,
    peers_all: 45,
    peers_similar: 60,
  });
}
change(FABRIKAM, '2026-02-03', '2026-02-02', 'services', {});
change(FABRIKAM, '2026-02-04', '2026-02-03', 'lost', mfa(50, 30, 50, -20, 'earned'));
change(FABRIKAM, '2026-02-05', '2026-02-04', 'renamed', {
  control: '2.dlp',
  previous_control: 'dlp',
  points_before: 20,
  points_after: 20,
  maximum_before: 50,
  maximum_after: 50,
});

/** Tables as they were before columns were added. */
export const EARLIER_TABLES = TABLES.map((table) => ({
  ...table,
  columns: table.columns.filter(({ added }) => !added),
}));

/** Writes rows as the archive's columns, in its layout. */
export async function writeHistory(
  folder: string,
  tables: Rows = SAMPLE,
  definitions: Table[] = TABLES,
): Promise<void> {
  for (const table of definitions) {
    const files = Map.groupBy(
      tables[table.name],
      ({ tenant, date }) => `month=${String(date).slice(0, 7)}/${String(tenant)}.parquet`,
    );
    for (const [name, rows] of files) {
      const file = path.join(folder, 'history', table.name, name);
      await mkdir(path.dirname(file), { recursive: true });
      const complete = rows.map((row) => {
        const cells = table.columns.map((column) => [column.name, row[column.name] ?? null] as const);
        return Object.fromEntries(cells) as Row;
      });
      await writeFile(file, toParquet(table, merged(table, null, null, complete)));
    }
  }
}
