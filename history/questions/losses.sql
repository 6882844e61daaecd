-- @title Biggest losses
-- @about changes
-- @answers Which recommendations lost the most in a period, net of what they gained?
-- In percentage points of the score, all causes; lost and gained are the sums of the two directions.
-- @param tenant = all
-- @param from = 30 days before to
-- @param to = newest
-- @param limit = 20
-- @show tenant, title, category, lost_percentage_points, gained_percentage_points, percentage_points
SELECT
  tenant,
  control,
  max(title) AS title,
  max(category) AS category,
  sum(CASE WHEN percentage_points < 0 THEN percentage_points ELSE 0 END) AS lost_percentage_points,
  sum(CASE WHEN percentage_points > 0 THEN percentage_points ELSE 0 END) AS gained_percentage_points,
  sum(percentage_points) AS percentage_points,
  max(date) AS last_date
FROM changes
WHERE month BETWEEN :from_month AND :to_month
  AND date BETWEEN :from AND :to
  AND (:tenant IS NULL OR tenant = :tenant)
  AND control IS NOT NULL
GROUP BY tenant, control
HAVING sum(percentage_points) < 0
  AND abs(sum(percentage_points)) > 0.000001
ORDER BY percentage_points, tenant, control
LIMIT :limit
