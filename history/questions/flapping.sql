-- @title Flapping recommendations
-- @about controls
-- @answers Which recommendations were lost again and again?
-- Lost at least twice in the period; percentage_points is what is left of it all, whatever the cause (drift and decisions,
-- Microsoft's doing): what was lost need not have been gained back as such.
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
  min(CASE WHEN kind IN ('lost', 'gained') THEN date END) AS first_date,
  max(CASE WHEN kind IN ('lost', 'gained') THEN date END) AS last_date,
  sum(percentage_points) AS percentage_points
FROM changes
WHERE month BETWEEN :from_month AND :to_month
  AND date BETWEEN :from AND :to
  AND (:tenant IS NULL OR tenant = :tenant)
  AND control IS NOT NULL
GROUP BY tenant, control
HAVING count(CASE WHEN kind = 'lost' THEN 1 END) >= 2
ORDER BY
  count(CASE WHEN kind IN ('lost', 'gained') THEN 1 END) DESC,
  max(CASE WHEN kind IN ('lost', 'gained') THEN date END) DESC,
  tenant,
  control
LIMIT :limit
