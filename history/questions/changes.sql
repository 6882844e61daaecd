-- @title Changes
-- @about changes
-- @answers What changed between two dates, one row per change?
-- Each day is compared with the one before: small moves that a mail reported when they had added up are drift here.
-- percentage_points is the row's share of the change of the score. Of several rows of one control and day, one carries it.
-- @param tenant = all
-- @param control = all
-- @param from = 30 days before to
-- @param to = newest
-- @show date, tenant, kind, title, points_before → points_after, percentage_points
SELECT
  tenant,
  date,
  previous_date,
  kind,
  control,
  previous_control,
  title,
  category,
  points_before,
  points_after,
  maximum_before,
  maximum_after,
  percentage_points,
  cause,
  decision,
  decided_by
FROM changes
WHERE month BETWEEN :from_month AND :to_month
  AND date BETWEEN :from AND :to
  AND (:tenant IS NULL OR tenant = :tenant)
  AND (:control IS NULL OR control = :control OR previous_control = :control)
ORDER BY date, tenant, kind, control
