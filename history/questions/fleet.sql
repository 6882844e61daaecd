-- @title Fleet
-- @about scores
-- @answers How do the tenants rank, and how did each move in the period?
-- Each tenant on its last counted day of the period; percentage_points is the change since its first.
-- @reads all tenants
-- @param tenant = all
-- @param from = 30 days before to
-- @param to = newest
-- @show rank, tenant, percentage, percentage_points, points, maximum, controls, date
WITH days AS (
  SELECT tenant, min(date) AS first_date, max(date) AS last_date
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND counted
  GROUP BY tenant
),
ranked AS (
  SELECT
    rank() OVER (ORDER BY l.percentage DESC NULLS LAST) AS rank,
    d.tenant,
    l.date,
    l.percentage,
    l.percentage - f.percentage AS percentage_points,
    l.points,
    l.maximum,
    l.controls
  FROM days d
  JOIN scores f ON f.tenant = d.tenant AND f.date = d.first_date
  JOIN scores l ON l.tenant = d.tenant AND l.date = d.last_date
  WHERE f.month BETWEEN :from_month AND :to_month
    AND l.month BETWEEN :from_month AND :to_month
)
SELECT rank, tenant, date, percentage, percentage_points, points, maximum, controls
FROM ranked
WHERE (:tenant IS NULL OR tenant = :tenant)
ORDER BY rank, tenant
