-- @title Trend
-- @about scores
-- @answers How did the score of each tenant move, day by day?
-- Suspect days, which no comparison counts, are left out.
-- @param tenant = all
-- @param from = beginning
-- @param to = newest
-- @show date, tenant, percentage, points, maximum
-- @series percentage by tenant
SELECT tenant, date, points, maximum, percentage
FROM scores
WHERE month BETWEEN :from_month AND :to_month
  AND date BETWEEN :from AND :to
  AND (:tenant IS NULL OR tenant = :tenant)
  AND counted
ORDER BY tenant, date
