-- @title Compared with peers
-- @about scores
-- @answers How far is each tenant ahead of (or behind) the average of all tenants, and of those of its size, day by day?
-- @param tenant = all
-- @param from = 90 days before to
-- @param to = newest
-- @show date, tenant, percentage, peers_similar, ahead_similar_percentage_points, peers_all, ahead_all_percentage_points
-- @series ahead_similar_percentage_points by tenant
SELECT
  tenant,
  date,
  percentage,
  peers_all,
  percentage - peers_all AS ahead_all_percentage_points,
  peers_similar,
  percentage - peers_similar AS ahead_similar_percentage_points
FROM scores
WHERE month BETWEEN :from_month AND :to_month
  AND date BETWEEN :from AND :to
  AND (:tenant IS NULL OR tenant = :tenant)
  AND counted
ORDER BY tenant, date
