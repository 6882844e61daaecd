import type { Answer, HistoryEngine, Value } from '../answer.ts';
import { substitute, literal } from '../placeholders.ts';
import type { CatalogueRow, ChangeRow, ScoreRow, StretchRow, TenantRows } from './data.ts';

/** In the SQL that both engines speak. The engine joins the days of a control: of 400,000 rows some thousands are left. */
const SCORES = `
SELECT date, points, maximum, peers_all, peers_similar, counted
FROM scores
WHERE tenant = :tenant
ORDER BY date`;

const STRETCHES = `
WITH days AS (
  SELECT month, date, row_number() OVER (ORDER BY date) AS day
  FROM scores
  WHERE tenant = :tenant
    AND counted
),
stood AS (
  SELECT
    c.control,
    d.date,
    c.points,
    c.maximum,
    c.state,
    c.state_by,
    c.state_at,
    d.day - row_number() OVER (
      PARTITION BY c.control, c.points, c.maximum, c.state, c.state_by, c.state_at
      ORDER BY d.day
    ) AS stretch
  FROM controls c
  JOIN days d ON d.month = c.month AND d.date = c.date
  WHERE c.tenant = :tenant
)
SELECT
  control,
  min(date) AS first_date,
  max(date) AS last_date,
  points,
  maximum,
  state,
  state_by,
  state_at
FROM stood
GROUP BY control, points, maximum, state, state_by, state_at, stretch
ORDER BY control, min(date)`;

const CATALOGUE = `
SELECT
  control,
  max_by(title, date) AS title,
  max_by(category, date) AS category,
  max_by(service, date) AS service
FROM controls
WHERE tenant = :tenant
GROUP BY control
ORDER BY control`;

const CHANGES = `
SELECT
  date,
  previous_date,
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
WHERE tenant = :tenant
ORDER BY date, kind, control`;

const TENANTS = 'SELECT DISTINCT tenant FROM scores ORDER BY tenant';

/** All that the page shows of a tenant. */
export async function readTenant(engine: HistoryEngine, tenant: string): Promise<TenantRows> {
  const scope = { tenant, fromMonth: '0000-00', toMonth: '9999-99' };
  const ask = async <Row>(sql: string) =>
    rowsOf<Row>(await engine.ask(substitute(sql, { tenant: literal(tenant) }).trim(), scope));
  return {
    scores: await ask<ScoreRow>(SCORES),
    stretches: await ask<StretchRow>(STRETCHES),
    catalogue: await ask<CatalogueRow>(CATALOGUE),
    changes: await ask<ChangeRow>(CHANGES),
  };
}

/** Ids of all tenants that have a history. */
export async function readTenants(engine: HistoryEngine): Promise<string[]> {
  return rowsOf<{ tenant: string }>(await engine.ask(TENANTS, null)).map(({ tenant }) => tenant);
}

/** The statements above select these columns, with the types of tables.ts. */
function rowsOf<Row>({ rows }: Answer): Row[] {
  return rows as Record<string, Value>[] as Row[];
}
