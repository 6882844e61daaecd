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
  SELECT
    tenant,
    date,
    percentage,
    points,
    maximum,
    controls,
    row_number() OVER (PARTITION BY tenant ORDER BY date) AS from_first,
    row_number() OVER (PARTITION BY tenant ORDER BY date DESC) AS from_last
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND counted
),
ends AS (
  SELECT
    tenant,
    max(date) AS last_date,
    max(CASE WHEN from_first = 1 THEN percentage END) AS percentage_before,
    max(CASE WHEN from_last = 1 THEN percentage END) AS percentage_after,
    max(CASE WHEN from_last = 1 THEN points END) AS points_after,
    max(CASE WHEN from_last = 1 THEN maximum END) AS maximum_after,
    max(CASE WHEN from_last = 1 THEN controls END) AS controls_after
  FROM days
  WHERE from_first = 1 OR from_last = 1
  GROUP BY tenant
),
ranked AS (
  SELECT
    rank() OVER (ORDER BY percentage_after DESC NULLS LAST) AS rank,
    tenant,
    last_date AS date,
    percentage_after AS percentage,
    percentage_after - percentage_before AS percentage_points,
    points_after AS points,
    maximum_after AS maximum,
    controls_after AS controls
  FROM ends
)
SELECT rank, tenant, date, percentage, percentage_points, points, maximum, controls
FROM ranked
WHERE (:tenant IS NULL OR tenant = :tenant)
ORDER BY rank, tenant
