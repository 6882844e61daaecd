-- @title Between two dates
-- @about changes
-- @answers Which controls differ between the first day and the last, whatever happened in between?
-- Compares the first and the last counted day of the period, for each tenant. A control that a day lacks has no points there.
-- @param tenant = all
-- @param from = 30 days before to
-- @param to = newest
-- @show tenant, title, category, points_before → points_after, state_before → state_after
WITH days AS (
  SELECT tenant, min(date) AS first_date, max(date) AS last_date
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
  GROUP BY tenant
),
before AS (
  SELECT c.tenant, c.control, c.title, c.category, c.points, c.maximum, c.state, d.first_date
  FROM controls c
  JOIN days d ON d.tenant = c.tenant AND d.first_date = c.date
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date BETWEEN :from AND :to
),
after AS (
  SELECT c.tenant, c.control, c.title, c.category, c.points, c.maximum, c.state, d.last_date
  FROM controls c
  JOIN days d ON d.tenant = c.tenant AND d.last_date = c.date
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date BETWEEN :from AND :to
)
SELECT
  coalesce(a.tenant, b.tenant) AS tenant,
  coalesce(a.control, b.control) AS control,
  coalesce(a.title, b.title) AS title,
  coalesce(a.category, b.category) AS category,
  b.points AS points_before,
  a.points AS points_after,
  b.maximum AS maximum_before,
  a.maximum AS maximum_after,
  b.state AS state_before,
  a.state AS state_after
FROM after a
FULL JOIN before b ON b.tenant = a.tenant AND b.control = a.control
WHERE a.control IS NULL
  OR b.control IS NULL
  OR abs(a.points - b.points) > 0.005
  OR abs(coalesce(a.maximum, 0) - coalesce(b.maximum, 0)) > 0.005
  OR a.state IS DISTINCT FROM b.state
ORDER BY
  coalesce(a.tenant, b.tenant),
  coalesce(a.points, 0) - coalesce(b.points, 0),
  coalesce(a.control, b.control)
