-- @title Exposed
-- @about controls
-- @answers Which tenants miss a recommendation, and how much would each gain?
-- As of each tenant's last counted day of the period: a tenant without such a day, or to which the recommendation does not
-- apply, is left out. Tenants that have decided about it (a risk accepted, …) come last. Where no maximum is known, the
-- recommendation is missed if it is below 100 per cent. Follows a rename of the period, one step back and one step on.
-- @param control = required
-- @param tenant = all
-- @param from = 30 days before to
-- @param to = newest
-- @show tenant, title, points, maximum, percentage_points, state, state_by, date
WITH ranked AS (
  SELECT
    tenant,
    month,
    date,
    maximum,
    row_number() OVER (PARTITION BY tenant ORDER BY date DESC) AS from_last
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
),
days AS (
  SELECT tenant, month AS last_month, date AS last_date, maximum
  FROM ranked
  WHERE from_last = 1
),
names AS (
  SELECT CAST(NULL AS VARCHAR) AS tenant, :control AS name
  UNION
  SELECT tenant, control AS name
  FROM changes
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND kind = 'renamed'
    AND previous_control = :control
  UNION
  SELECT tenant, previous_control AS name
  FROM changes
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND kind = 'renamed'
    AND control = :control
)
SELECT
  c.tenant,
  c.control,
  c.title,
  c.category,
  c.points,
  c.maximum,
  100 * (c.maximum - c.points) / nullif(d.maximum, 0) AS percentage_points,
  c.state,
  c.state_by,
  c.state_at,
  c.date
FROM controls c
JOIN days d ON d.tenant = c.tenant AND d.last_month = c.month AND d.last_date = c.date
JOIN names n ON n.name = c.control AND (n.tenant IS NULL OR n.tenant = c.tenant)
WHERE c.month BETWEEN :from_month AND :to_month
  AND c.date BETWEEN :from AND :to
  AND (
    c.maximum - c.points > 0.005
    OR (c.maximum IS NULL AND coalesce(c.percentage, 0) < 99.995)
  )
ORDER BY
  CASE WHEN c.state IS NULL THEN 0 ELSE 1 END,
  100 * (c.maximum - c.points) / nullif(d.maximum, 0) DESC NULLS LAST,
  c.tenant,
  c.control
