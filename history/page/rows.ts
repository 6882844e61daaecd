import type { Answer, HistoryEngine, Scope, Value } from '../answer.ts';
import { STRETCHES } from '../../lambda/archive/columns/tables.ts';
import { substitute, literal } from '../placeholders.ts';
import type { CatalogueRow, ChangeRow, ScoreRow, StandingRow, TenantRows } from './data.ts';

/*
 * In the SQL that both engines speak. Engines group: of a tenant's 150,000 rows of a year some hundreds are left. An
 * aggregate takes a tenth of the time of window functions over the same rows.
 */

const SCORES = `
SELECT
  tenant,
  CAST(date_diff('day', DATE '1970-01-01', date) AS INTEGER) AS day,
  points,
  maximum,
  peers_all,
  peers_similar,
  counted
FROM scores
WHERE tenant BETWEEN :first AND :last
ORDER BY tenant, date`;

/**
 * Spans are listed only where the control stood otherwise in between: 100 times the first day, and how many days follow
 * it, which are less than a month.
 */
const STANDINGS = `
WITH days AS (
  SELECT tenant, date, row_number() OVER (PARTITION BY tenant ORDER BY date) AS place
  FROM scores
  WHERE tenant BETWEEN :first AND :last
),
stood AS (
  SELECT
    tenant,
    control,
    points,
    maximum,
    state,
    state_by,
    state_at,
    min(first_date) AS first_date,
    max(last_date) AS last_date,
    sum(1 + date_diff('day', first_date, last_date)) AS number,
    array_agg(
      100 * CAST(date_diff('day', DATE '1970-01-01', first_date) AS INTEGER)
      + CAST(date_diff('day', first_date, last_date) AS INTEGER)
    ) AS spans
  FROM :stretches
  WHERE tenant BETWEEN :first AND :last
  GROUP BY tenant, control, points, maximum, state, state_by, state_at
)
SELECT
  s.tenant,
  s.control,
  s.points,
  s.maximum,
  s.state,
  s.state_by,
  s.state_at,
  CAST(date_diff('day', DATE '1970-01-01', s.first_date) AS INTEGER) AS first_day,
  CAST(date_diff('day', DATE '1970-01-01', s.last_date) AS INTEGER) AS last_day,
  CASE WHEN s.number = l.place - f.place + 1 THEN NULL ELSE s.spans END AS spans
FROM stood s
LEFT JOIN days f ON f.tenant = s.tenant AND f.date = s.first_date
LEFT JOIN days l ON l.tenant = s.tenant AND l.date = s.last_date
ORDER BY s.tenant, s.control, s.first_date, s.last_date`;

const CHANGES = `
SELECT
  tenant,
  CAST(date_diff('day', DATE '1970-01-01', date) AS INTEGER) AS day,
  CAST(date_diff('day', DATE '1970-01-01', previous_date) AS INTEGER) AS previous_day,
  kind,
  control,
  previous_control,
  title,
  category,
  points_before,
  points_after,
  maximum_before,
  maximum_after,
  percentage_points,
  cause,
  decision,
  decided_by
FROM changes
WHERE tenant BETWEEN :first AND :last
ORDER BY tenant, date, kind, control`;

const CATALOGUE = `
SELECT
  control,
  max_by(title, last_date) AS title,
  max_by(category, last_date) AS category,
  max_by(service, last_date) AS service
FROM :stretches
WHERE tenant BETWEEN :first AND :last
GROUP BY control
ORDER BY control`;

const TENANTS = `
SELECT
  tenant,
  CAST(date_diff('day', DATE '1970-01-01', max(date)) AS INTEGER) AS last_day
FROM scores
WHERE counted
GROUP BY tenant
ORDER BY tenant`;

/** The number of tenants asked for at once: of 15 million rows of controls in a year some ten thousand are left. */
const BATCH = 100;

/** Ids of all tenants that have a day that counts, and of each the newest one, since 1970-01-01. */
export async function readTenants(engine: HistoryEngine): Promise<Map<string, number>> {
  const rows = rowsOf<{ tenant: string; last_day: number }>(await engine.ask(TENANTS.trim(), null));
  return new Map(rows.map(({ tenant, last_day: day }) => [tenant, day]));
}

/** The recommendations of tenants, as the newest catalogue among theirs has them. @param tenants ids, at least one */
export async function readCatalogue(engine: HistoryEngine, tenants: string[]): Promise<CatalogueRow[]> {
  return ask<CatalogueRow>(engine, CATALOGUE, tenants.toSorted());
}

/**
 * All that the page shows of tenants, one by one, by id; what comes first is read from now on.
 * @param tenants ids, at least one
 */
export function readHistories(
  engine: HistoryEngine,
  tenants: string[],
): AsyncGenerator<{ id: string; rows: TenantRows }> {
  const batches = batchesOf(tenants);
  return oneByOne(engine, batches, begin(engine, batches[0]!));
}

async function* oneByOne(engine: HistoryEngine, batches: string[][], first: ReturnType<typeof read>) {
  let next = first;
  for (const [index, batch] of batches.entries()) {
    const { scores, standings, changes } = await next;
    // The engine goes on while these are worked on.
    const following = batches[index + 1];
    if (following) next = begin(engine, following);
    for (const id of batch) {
      yield {
        id,
        rows: {
          scores: scores.get(id) ?? [],
          standings: standings.get(id) ?? [],
          changes: changes.get(id) ?? [],
        },
      };
    }
  }
}

function begin(engine: HistoryEngine, batch: string[]): ReturnType<typeof read> {
  const rows = read(engine, batch);
  // It may fail before it is waited for.
  rows.catch(() => undefined);
  return rows;
}

async function read(engine: HistoryEngine, batch: string[]) {
  const [scores, standings, changes] = await Promise.all([
    ask<ScoreRow & Owned>(engine, SCORES, batch),
    ask<StandingOfSpans & Owned>(engine, STANDINGS, batch),
    ask<ChangeRow & Owned>(engine, CHANGES, batch),
  ]);
  return {
    scores: Map.groupBy(scores, ({ tenant }) => tenant),
    standings: Map.groupBy(standings.map(ofDays), ({ tenant }) => tenant),
    changes: Map.groupBy(changes, ({ tenant }) => tenant),
  };
}

type StandingOfSpans = Omit<StandingRow, 'days'> & { spans: number[] | string | null };

function ofDays<Row extends StandingOfSpans>({ spans, ...row }: Row) {
  // Athena gives a list as the text of it.
  const list = typeof spans === 'string' ? (spans.match(/-?\d+/g) ?? []).map(Number) : spans;
  const daysOf = (span: number) => {
    const first = Math.floor(span / 100);
    return Array.from({ length: 1 + span - 100 * first }, (_, day) => first + day);
  };
  return { ...row, days: list?.flatMap(daysOf) ?? null };
}

/** For an engine without stretches: each row of controls is one of a day. */
const DAYS_AS_STRETCHES = '(SELECT *, date AS first_date, date AS last_date FROM controls)';

interface Owned {
  tenant: string;
}

function batchesOf(tenants: string[]): string[][] {
  const sorted = tenants.toSorted();
  return Array.from({ length: Math.ceil(sorted.length / BATCH) }, (_, index) =>
    sorted.slice(index * BATCH, (index + 1) * BATCH),
  );
}

/** The statements above select these columns, with these types. */
async function ask<Row>(engine: HistoryEngine, sql: string, batch: string[]): Promise<Row[]> {
  const scope: Scope = {
    tenant: batch.length === 1 ? batch[0]! : null,
    tenants: new Set(batch),
    fromMonth: '0000-00',
    toMonth: '9999-99',
  };
  const parts = {
    first: literal(batch[0]!),
    last: literal(batch.at(-1)!),
    stretches: engine.hasStretches ? STRETCHES.name : DAYS_AS_STRETCHES,
  };
  return rowsOf<Row>(await engine.ask(substitute(sql, parts).trim(), scope));
}

function rowsOf<Row>({ rows }: Answer): Row[] {
  return rows as Record<string, Value>[] as Row[];
}
