-- @title Never touched
-- @about controls
-- @answers Which points has nobody worked on since monitoring began?
-- Controls of each tenant's last counted day that lack points, have no decision, and were never lost, gained or decided.
-- Controls with an unknown maximum come last, because it is unknown how many points they lack.
-- percentage_points is what the score would gain; days count from the day the control came (else, monitoring began).
-- @param tenant = all
-- @param from = beginning
-- @param to = newest
-- @param limit = 20
-- @show tenant, title, category, points, maximum, days, percentage_points
WITH ranked AS (
  SELECT
    tenant,
    month,
    date,
    maximum,
    min(date) OVER (PARTITION BY tenant) AS first_date,
    row_number() OVER (PARTITION BY tenant ORDER BY date DESC) AS from_last
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
),
days AS (
  SELECT tenant, first_date, month AS last_month, date AS last_date, maximum
  FROM ranked
  WHERE from_last = 1
),
history AS (
  SELECT
    tenant,
    control,
    max(CASE WHEN kind IN ('new', 'renamed') THEN date END) AS came_on,
    count(CASE WHEN kind IN ('lost', 'gained', 'decided') THEN 1 END) AS touches
  FROM changes
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND control IS NOT NULL
    AND kind IN ('new', 'renamed', 'lost', 'gained', 'decided')
  GROUP BY tenant, control
)
SELECT
  c.tenant,
  c.control,
  c.title,
  c.category,
  c.points,
  c.maximum,
  coalesce(h.came_on, d.first_date) AS first_date,
  date_diff('day', coalesce(h.came_on, d.first_date), c.date) AS days,
  100 * (c.maximum - c.points) / nullif(d.maximum, 0) AS percentage_points
FROM controls c
JOIN days d ON d.tenant = c.tenant AND d.last_month = c.month AND d.last_date = c.date
LEFT JOIN history h ON h.tenant = c.tenant AND h.control = c.control
WHERE c.month BETWEEN :from_month AND :to_month
  AND c.state IS NULL
  AND coalesce(h.touches, 0) = 0
  AND (c.maximum IS NULL OR c.maximum - c.points > 0.005)
ORDER BY 100 * (c.maximum - c.points) / nullif(d.maximum, 0) DESC NULLS LAST, c.tenant, c.control
LIMIT :limit
