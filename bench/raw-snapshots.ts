import { globSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { literal } from '../history/placeholders.ts';
import { layout } from '../lambda/archive/layout.ts';

export interface Period {
  /** Null: all. */
  tenant: string | null;
  control: string;
  /** yyyy-mm-dd, both included. */
  from: string;
  to: string;
}

/** Only the fields that a question needs are listed, so that DuckDB neither guesses nor reads the rest. */
const TOTALS = `{secureScore: 'STRUCT(azureTenantId VARCHAR, createdDateTime TIMESTAMP, currentScore DOUBLE, maxScore DOUBLE)'}`;
const CONTROLS = `{secureScore: 'STRUCT(azureTenantId VARCHAR, createdDateTime TIMESTAMP, maxScore DOUBLE, controlScores STRUCT(controlName VARCHAR, score DOUBLE, scoreInPercentage DOUBLE)[])'}`;

const totals = (files: string): string => `
  SELECT
    secureScore.azureTenantId AS tenant, CAST(secureScore.createdDateTime AS DATE) AS date,
    secureScore.currentScore AS points, secureScore.maxScore AS maximum,
    100 * secureScore.currentScore / secureScore.maxScore AS percentage
  FROM read_json(${files}, columns = ${TOTALS})`;

const controls = (files: string): string => `
  SELECT tenant, date, maximum, each.controlName AS control, each.score AS points, each.scoreInPercentage AS percentage
  FROM (
    SELECT
      secureScore.azureTenantId AS tenant, CAST(secureScore.createdDateTime AS DATE) AS date,
      secureScore.maxScore AS maximum, unnest(secureScore.controlScores) AS each
    FROM read_json(${files}, columns = ${CONTROLS})
  )`;

/**
 * The questions as one would ask the snapshots themselves, by name and scope. They are simpler than the product's: they
 * have no suspect days, renames, causes, titles or decisions.
 */
export const RAW_QUESTIONS: Record<string, (files: string, period: Period) => string> = {
  'trend, one tenant': (files) => `${totals(files)} ORDER BY tenant, date`,
  'fleet, all tenants': (files) => `
    SELECT rank() OVER (ORDER BY last DESC) AS rank, *, last - first AS percentage_points
    FROM (
      SELECT tenant, max(date) AS date, arg_max(percentage, date) AS last, arg_min(percentage, date) AS first
      FROM (${totals(files)}) GROUP BY tenant
    ) ORDER BY rank, tenant`,
  'losses, all tenants': (files) => `
    SELECT tenant, control, sum(change) AS points, max(date) AS last_date
    FROM (
      SELECT *, points - lag(points) OVER (PARTITION BY tenant, control ORDER BY date) AS change
      FROM (${controls(files)})
    ) GROUP BY tenant, control HAVING sum(change) < 0 ORDER BY points, tenant, control LIMIT 20`,
  'life, one tenant': (files, { control }) => `
    SELECT * FROM (${controls(files)}) WHERE control = ${literal(control)} ORDER BY date`,
};

/** DuckDB on the snapshots. It reads only the files of the tenants and days in question. */
export class RawSnapshots {
  readonly #folder: string;
  readonly #tenants: string[];

  constructor(folder: string, tenants: string[]) {
    this.#folder = folder;
    this.#tenants = tenants;
  }

  async ask(statement: (files: string, period: Period) => string, period: Period): Promise<void> {
    const tenants = period.tenant === null ? this.#tenants : [period.tenant];
    const files = tenants.flatMap((tenant) =>
      globSync(`${join(this.#folder, layout.snapshots(tenant))}date=*/*.json.gz`).filter((path) => {
        const date = layout.parseSnapshot(path)?.date ?? '';
        return date >= period.from && date <= period.to;
      }),
    );
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    try {
      const reader = await connection.runAndReadAll(statement(`[${files.map(literal).join(', ')}]`, period));
      if (reader.currentRowCount === 0) throw new Error('The snapshots gave no rows.');
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }
}
