-- @title Plan
-- @about controls
-- @answers Where are the most points still to be earned, for how much effort, and in how many tenants?
-- Recommendations that lack points on the last counted day of each tenant, and about which nobody there has decided. First
-- is what earns most for its effort: moderate (or unknown) counts twice, high three times as much as low, as in the mails.
-- Recommendations without a known maximum are left out, because the points they lack are unknown.
-- average_percentage_points is what one of the tenants would gain; percentage_points the sum over them.
-- @param tenant = all
-- @param from = 30 days before to
-- @param to = newest
-- @param limit = 20
-- @show effort, title, category, tenants, points, average_percentage_points, percentage_points
WITH ranked AS (
  SELECT
    tenant,
    month,
    date,
    maximum,
    row_number() OVER (PARTITION BY tenant ORDER BY date DESC) AS from_last
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
),
days AS (
  SELECT tenant, month AS last_month, date AS last_date, maximum
  FROM ranked
  WHERE from_last = 1
),
open_points AS (
  SELECT
    c.tenant,
    c.control,
    c.title,
    c.category,
    coalesce(lower(c.effort), 'unknown') AS effort,
    c.maximum - c.points AS points,
    100 * (c.maximum - c.points) / nullif(d.maximum, 0) AS share,
    CASE lower(c.effort) WHEN 'low' THEN 1 WHEN 'high' THEN 3 ELSE 2 END AS weight
  FROM controls c
  JOIN days d ON d.tenant = c.tenant AND d.last_month = c.month AND d.last_date = c.date
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date BETWEEN :from AND :to
    AND c.state IS NULL
    AND c.maximum - c.points > 0.005
)
SELECT
  effort,
  control,
  max(title) AS title,
  max(category) AS category,
  count(*) AS tenants,
  sum(points) AS points,
  avg(share) AS average_percentage_points,
  sum(share) AS percentage_points
FROM open_points
GROUP BY effort, control
ORDER BY sum(share / weight) DESC NULLS LAST, control, effort
LIMIT :limit
