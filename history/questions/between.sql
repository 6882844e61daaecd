-- @title Between two dates
-- @about changes
-- @answers Which recommendations differ between the first day and the last, whatever happened in between?
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
ends AS (
  SELECT tenant, first_date AS date, 1 AS is_first, 0 AS is_last
  FROM days
  WHERE first_date < last_date
  UNION ALL
  SELECT tenant, last_date AS date, 0 AS is_first, 1 AS is_last
  FROM days
  WHERE first_date < last_date
),
compared AS (
  SELECT
    c.tenant,
    c.control,
    max(CASE WHEN e.is_first = 1 THEN c.title END) AS title_before,
    max(CASE WHEN e.is_last = 1 THEN c.title END) AS title_after,
    max(CASE WHEN e.is_first = 1 THEN c.category END) AS category_before,
    max(CASE WHEN e.is_last = 1 THEN c.category END) AS category_after,
    max(CASE WHEN e.is_first = 1 THEN c.points END) AS points_before,
    max(CASE WHEN e.is_last = 1 THEN c.points END) AS points_after,
    max(CASE WHEN e.is_first = 1 THEN c.maximum END) AS maximum_before,
    max(CASE WHEN e.is_last = 1 THEN c.maximum END) AS maximum_after,
    max(CASE WHEN e.is_first = 1 THEN c.state END) AS state_before,
    max(CASE WHEN e.is_last = 1 THEN c.state END) AS state_after,
    sum(e.is_first) AS stood_before,
    sum(e.is_last) AS stands_after
  FROM controls c
  JOIN ends e ON e.tenant = c.tenant AND e.date = c.date
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date BETWEEN :from AND :to
  GROUP BY c.tenant, c.control
)
SELECT
  tenant,
  control,
  coalesce(title_after, title_before) AS title,
  coalesce(category_after, category_before) AS category,
  points_before,
  points_after,
  maximum_before,
  maximum_after,
  state_before,
  state_after
FROM compared
WHERE stands_after = 0
  OR stood_before = 0
  OR abs(points_after - points_before) > 0.005
  OR abs(coalesce(maximum_after, 0) - coalesce(maximum_before, 0)) > 0.005
  OR state_after IS DISTINCT FROM state_before
ORDER BY tenant, coalesce(points_after, 0) - coalesce(points_before, 0), control
