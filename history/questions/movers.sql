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
  SELECT tenant, min(date) AS first_date, max(date) AS last_date
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
    AND percentage IS NOT NULL
  GROUP BY tenant
),
shares AS (
  SELECT
    c.tenant,
    sum(CASE WHEN c.cause = 'earned' THEN c.percentage_points ELSE 0 END) AS earned,
    sum(CASE WHEN c.cause = 'rescored' THEN c.percentage_points ELSE 0 END) AS rescored,
    sum(CASE WHEN c.cause = 'decided' THEN c.percentage_points ELSE 0 END) AS decided
  FROM changes c
  JOIN days d ON d.tenant = c.tenant
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date > d.first_date
    AND c.date <= d.last_date
  GROUP BY c.tenant
)
SELECT
  d.tenant,
  d.first_date,
  d.last_date,
  f.percentage AS percentage_before,
  l.percentage AS percentage_after,
  l.percentage - f.percentage AS percentage_points,
  coalesce(s.earned, 0) AS earned_percentage_points,
  coalesce(s.rescored, 0) AS rescored_percentage_points,
  coalesce(s.decided, 0) AS decided_percentage_points
FROM days d
JOIN scores f ON f.tenant = d.tenant AND f.date = d.first_date
JOIN scores l ON l.tenant = d.tenant AND l.date = d.last_date
LEFT JOIN shares s ON s.tenant = d.tenant
WHERE f.month BETWEEN :from_month AND :to_month
  AND l.month BETWEEN :from_month AND :to_month
ORDER BY l.percentage - f.percentage, d.tenant
LIMIT :limit
