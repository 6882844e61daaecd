-- @title Flapping controls
-- @about controls
-- @answers Which controls were lost again and again?
-- Lost at least twice in the period; percentage_points is what is left of it all.
-- @param tenant = all
-- @param from = 90 days before to
-- @param to = newest
-- @param limit = 20
-- @show tenant, title, category, losses, gains, last_date, percentage_points
SELECT
  tenant,
  control,
  max(title) AS title,
  max(category) AS category,
  count(CASE WHEN kind = 'lost' THEN 1 END) AS losses,
  count(CASE WHEN kind = 'gained' THEN 1 END) AS gains,
  min(date) AS first_date,
  max(date) AS last_date,
  sum(percentage_points) AS percentage_points
FROM changes
WHERE month BETWEEN :from_month AND :to_month
  AND date BETWEEN :from AND :to
  AND (:tenant IS NULL OR tenant = :tenant)
  AND kind IN ('lost', 'gained')
GROUP BY tenant, control
HAVING count(CASE WHEN kind = 'lost' THEN 1 END) >= 2
ORDER BY count(*) DESC, max(date) DESC, tenant, control
LIMIT :limit
