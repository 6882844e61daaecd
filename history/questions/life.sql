-- @title The life of a recommendation
-- @about controls
-- @answers What happened to a recommendation since it was first seen? One row for each stretch of days without a change.
-- Follows a rename, one step back and one step on.
-- @param control = required
-- @param tenant = all
-- @param from = beginning
-- @param to = newest
-- @show first_date, last_date, days, tenant, points, maximum, state, state_by
WITH renamed AS (
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
-- Apart from those of other names, which are few or none: engines read rows of one constant name in less time.
stood AS (
  SELECT tenant, date, control, title, category, points, maximum, state, state_by
  FROM controls
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND control = :control
  UNION ALL
  SELECT c.tenant, c.date, c.control, c.title, c.category, c.points, c.maximum, c.state, c.state_by
  FROM controls c
  JOIN renamed r ON r.tenant = c.tenant AND r.name = c.control
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date BETWEEN :from AND :to
    AND (:tenant IS NULL OR c.tenant = :tenant)
),
life AS (
  SELECT
    tenant,
    date,
    control,
    title,
    category,
    points,
    maximum,
    state,
    state_by,
    row_number() OVER (PARTITION BY tenant ORDER BY date) AS day,
    row_number() OVER (
      PARTITION BY tenant, control, points, maximum, state, state_by
      ORDER BY date
    ) AS alike
  FROM stood
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
