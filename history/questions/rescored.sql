-- @title Re-scored by Microsoft
-- @about changes
-- @answers What did Microsoft add, retire or re-score, and what did that do to the scores?
-- One row a day, control and kind for all tenants; percentage_points is the average over the tenants that it befell,
-- lowest and highest the extremes.
-- @param tenant = all
-- @param from = 365 days before to
-- @param to = newest
-- @show date, kind, title, maximum_before → maximum_after, tenants, percentage_points
SELECT
  date,
  kind,
  control,
  max(title) AS title,
  max(category) AS category,
  max(maximum_before) AS maximum_before,
  max(maximum_after) AS maximum_after,
  count(DISTINCT tenant) AS tenants,
  avg(percentage_points) AS percentage_points,
  min(percentage_points) AS lowest_percentage_points,
  max(percentage_points) AS highest_percentage_points
FROM changes
WHERE month BETWEEN :from_month AND :to_month
  AND date BETWEEN :from AND :to
  AND (:tenant IS NULL OR tenant = :tenant)
  AND kind IN ('new', 'removed', 're-scored')
GROUP BY date, kind, control
ORDER BY date, kind, control
