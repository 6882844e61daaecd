-- @title Decisions in force
-- @about controls
-- @answers Which risks are accepted, left to a third party or decided in another way, and who decided?
-- As of each tenant's last counted day of the period: a tenant without such a day is left out.
-- @param tenant = all
-- @param control = all
-- @param from = 30 days before to
-- @param to = newest
-- @show tenant, title, state, state_by, state_at, points, maximum
WITH days AS (
  SELECT tenant, max(date) AS last_date
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
  GROUP BY tenant
)
SELECT
  c.tenant,
  c.control,
  c.title,
  c.category,
  c.state,
  c.state_by,
  c.state_at,
  c.points,
  c.maximum,
  c.date
FROM controls c
JOIN days d ON d.tenant = c.tenant AND d.last_date = c.date
WHERE c.month BETWEEN :from_month AND :to_month
  AND c.date BETWEEN :from AND :to
  AND (:control IS NULL OR c.control = :control)
  AND c.state IS NOT NULL
ORDER BY c.tenant, c.state, c.state_at, c.control
