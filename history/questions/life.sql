-- @title The life of a recommendation
-- @about controls
-- @answers What happened to a recommendation since it was first seen? One row for each stretch of days without a change.
-- Follows a rename, one step back and one step on.
-- @param control = required
-- @param tenant = all
-- @param from = beginning
-- @param to = newest
-- @show first_date, last_date, days, tenant, points, maximum, state, state_by
WITH names AS (
  SELECT CAST(NULL AS VARCHAR) AS tenant, :control AS name
  UNION
  SELECT tenant, control AS name
  FROM changes
  WHERE month BETWEEN :from_month AND :to_month
    AND kind = 'renamed'
    AND previous_control = :control
  UNION
  SELECT tenant, previous_control AS name
  FROM changes
  WHERE month BETWEEN :from_month AND :to_month
    AND kind = 'renamed'
    AND control = :control
),
life AS (
  SELECT
    c.tenant,
    c.date,
    c.control,
    c.title,
    c.category,
    c.points,
    c.maximum,
    c.state,
    c.state_by,
    row_number() OVER (PARTITION BY c.tenant ORDER BY c.date) AS day,
    row_number() OVER (
      PARTITION BY c.tenant, c.control, c.points, c.maximum, c.state, c.state_by
      ORDER BY c.date
    ) AS alike
  FROM controls c
  JOIN names n ON n.name = c.control AND (n.tenant IS NULL OR n.tenant = c.tenant)
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date BETWEEN :from AND :to
    AND (:tenant IS NULL OR c.tenant = :tenant)
)
SELECT
  tenant,
  control,
  max(title) AS title,
  max(category) AS category,
  min(date) AS first_date,
  max(date) AS last_date,
  count(*) AS days,
  points,
  maximum,
  state,
  state_by
FROM life
GROUP BY tenant, control, points, maximum, state, state_by, day - alike
ORDER BY tenant, min(date)
