-- @title Trend by category
-- @about scores
-- @answers How did each category move, day by day?
-- Points and maxima of a category are those of its controls; one whose maximum is unknown counts in neither, but in unknown.
-- @param tenant = all
-- @param from = beginning
-- @param to = newest
-- @show date, tenant, category, percentage, points, maximum, unknown
-- @series percentage by tenant, category
SELECT
  c.tenant,
  c.date,
  c.category,
  sum(CASE WHEN c.maximum IS NOT NULL THEN c.points END) AS points,
  sum(c.maximum) AS maximum,
  100 * sum(CASE WHEN c.maximum IS NOT NULL THEN c.points END) / nullif(sum(c.maximum), 0) AS percentage,
  count(*) - count(c.maximum) AS unknown
FROM controls c
JOIN scores s ON s.tenant = c.tenant AND s.month = c.month AND s.date = c.date
WHERE c.month BETWEEN :from_month AND :to_month
  AND c.date BETWEEN :from AND :to
  AND (:tenant IS NULL OR c.tenant = :tenant)
  AND s.month BETWEEN :from_month AND :to_month
  AND s.counted
GROUP BY c.tenant, c.category, c.date
ORDER BY c.tenant, c.category, c.date
