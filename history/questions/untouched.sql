-- @title Never touched
-- @about controls
-- @answers Where are points to be had that nobody has worked on since monitoring began?
-- Controls of each tenant's last counted day that lack points, have no decision, and were never lost, gained or decided.
-- percentage_points is what the score would gain; days count from the day the control was first seen.
-- @param tenant = all
-- @param from = beginning
-- @param to = newest
-- @param limit = 20
-- @show tenant, title, category, points, maximum, days, percentage_points
WITH days AS (
  SELECT tenant, max(date) AS last_date
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
  GROUP BY tenant
),
touched AS (
  SELECT DISTINCT tenant, control
  FROM changes
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND kind IN ('lost', 'gained', 'decided')
),
seen AS (
  SELECT tenant, control, min(date) AS first_date, count(state) AS decided_days
  FROM controls
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
  GROUP BY tenant, control
)
SELECT
  c.tenant,
  c.control,
  c.title,
  c.category,
  c.points,
  c.maximum,
  n.first_date,
  date_diff('day', n.first_date, c.date) AS days,
  100 * (c.maximum - c.points) / nullif(s.maximum, 0) AS percentage_points
FROM controls c
JOIN days d ON d.tenant = c.tenant AND d.last_date = c.date
JOIN scores s ON s.tenant = c.tenant AND s.month = c.month AND s.date = c.date
JOIN seen n ON n.tenant = c.tenant AND n.control = c.control
LEFT JOIN touched t ON t.tenant = c.tenant AND t.control = c.control
WHERE c.month BETWEEN :from_month AND :to_month
  AND s.month BETWEEN :from_month AND :to_month
  AND t.control IS NULL
  AND n.decided_days = 0
  AND c.maximum - c.points > 0.005
ORDER BY 100 * (c.maximum - c.points) / nullif(s.maximum, 0) DESC NULLS LAST, c.tenant, c.control
LIMIT :limit
