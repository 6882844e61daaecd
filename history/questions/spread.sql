-- @title Spread
-- @about changes
-- @answers What happened to how many tenants, by recommendation and kind?
-- One row a recommendation and kind, the most tenants first; watched is how many tenants have a counted day in the period.
-- percentage_points is the average over the tenants that it befell, each with the sum of its days; lowest and highest the
-- extremes.
-- @param control = all
-- @param from = 30 days before to
-- @param to = newest
-- @param limit = 20
-- @show kind, title, tenants, watched, percentage_points, lowest_percentage_points, highest_percentage_points, last_date
WITH fleet AS (
  SELECT count(DISTINCT tenant) AS watched
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND counted
),
befallen AS (
  SELECT
    tenant,
    kind,
    control,
    max(title) AS title,
    max(category) AS category,
    count(*) AS changes,
    sum(percentage_points) AS share,
    min(date) AS first_date,
    max(date) AS last_date
  FROM changes
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:control IS NULL OR control = :control)
  GROUP BY tenant, kind, control
)
SELECT
  b.kind,
  b.control,
  max(b.title) AS title,
  max(b.category) AS category,
  count(*) AS tenants,
  f.watched,
  sum(b.changes) AS changes,
  avg(b.share) AS percentage_points,
  min(b.share) AS lowest_percentage_points,
  max(b.share) AS highest_percentage_points,
  min(b.first_date) AS first_date,
  max(b.last_date) AS last_date
FROM befallen b
CROSS JOIN fleet f
GROUP BY b.kind, b.control, f.watched
ORDER BY count(*) DESC, abs(sum(b.share)) DESC, b.kind, b.control
LIMIT :limit
