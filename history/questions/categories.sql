-- @title Trend by category
-- @about scores
-- @answers How did each category move, day by day?
-- Points and maxima of a category are those of its controls; one whose maximum is unknown counts in neither, but in unknown.
-- @param tenant = all
-- @param from = beginning
-- @param to = newest
-- @show date, tenant, category, percentage, points, maximum, unknown
-- @series percentage by tenant, category
WITH sums AS (
  SELECT
    tenant,
    date,
    category,
    sum(CASE WHEN maximum IS NOT NULL THEN points END) AS points,
    sum(maximum) AS maximum,
    count(*) - count(maximum) AS unknown
  FROM controls
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
  GROUP BY tenant, category, date
)
SELECT
  c.tenant,
  c.date,
  c.category,
  c.points,
  c.maximum,
  100 * c.points / nullif(c.maximum, 0) AS percentage,
  c.unknown
FROM sums c
JOIN scores s ON s.tenant = c.tenant AND s.date = c.date
WHERE s.month BETWEEN :from_month AND :to_month
  AND s.date BETWEEN :from AND :to
  AND s.counted
ORDER BY c.tenant, c.category, c.date
