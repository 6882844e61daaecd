-- @title Movers
-- @about scores
-- @answers Which tenants fell or rose the most in a period, and why?
-- From the first to the last counted day of the period. earned, rescored (by Microsoft) and decided are the sums of
-- the shares in between; what is missing to the change, no control accounts for.
-- @param tenant = all
-- @param from = 30 days before to
-- @param to = newest
-- @param limit = 20
-- @show tenant, percentage_before → percentage_after, percentage_points, earned_percentage_points, rescored_percentage_points, decided_percentage_points
WITH days AS (
  SELECT
    tenant,
    date,
    percentage,
    row_number() OVER (PARTITION BY tenant ORDER BY date) AS from_first,
    row_number() OVER (PARTITION BY tenant ORDER BY date DESC) AS from_last
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
    AND percentage IS NOT NULL
),
ends AS (
  SELECT
    tenant,
    min(date) AS first_date,
    max(date) AS last_date,
    max(CASE WHEN from_first = 1 THEN percentage END) AS percentage_before,
    max(CASE WHEN from_last = 1 THEN percentage END) AS percentage_after
  FROM days
  WHERE from_first = 1 OR from_last = 1
  GROUP BY tenant
),
shares AS (
  SELECT
    c.tenant,
    sum(CASE WHEN c.cause = 'earned' THEN c.percentage_points ELSE 0 END) AS earned,
    sum(CASE WHEN c.cause = 'rescored' THEN c.percentage_points ELSE 0 END) AS rescored,
    sum(CASE WHEN c.cause = 'decided' THEN c.percentage_points ELSE 0 END) AS decided
  FROM changes c
  JOIN ends e ON e.tenant = c.tenant
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date > e.first_date
    AND c.date <= e.last_date
  GROUP BY c.tenant
)
SELECT
  e.tenant,
  e.first_date,
  e.last_date,
  e.percentage_before,
  e.percentage_after,
  e.percentage_after - e.percentage_before AS percentage_points,
  coalesce(s.earned, 0) AS earned_percentage_points,
  coalesce(s.rescored, 0) AS rescored_percentage_points,
  coalesce(s.decided, 0) AS decided_percentage_points
FROM ends e
LEFT JOIN shares s ON s.tenant = e.tenant
ORDER BY e.percentage_after - e.percentage_before, e.tenant
LIMIT :limit
