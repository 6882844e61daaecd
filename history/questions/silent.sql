-- @title Silent tenants
-- @about scores
-- @answers How old is each tenant's last snapshot, and when did its last run succeed?
-- The oldest first; days count up to today, or to --to. A run that finds no new day leaves no trace in the tables: last_run
-- stands in the states of the archive, from which the command fills it in, with the tenants that have no snapshot at all;
-- with a config it lists the tenants of that alone.
-- Athena reads no state: there last_run is empty, and a tenant without a snapshot is not listed.
-- @param tenant = all
-- @param from = beginning
-- @param to = today
-- @show tenant, date, days, last_run
-- @fills last_run
SELECT
  tenant,
  max(date) AS date,
  date_diff('day', max(date), :to) AS days,
  CAST(NULL AS VARCHAR) AS last_run
FROM scores
WHERE month BETWEEN :from_month AND :to_month
  AND date BETWEEN :from AND :to
  AND (:tenant IS NULL OR tenant = :tenant)
GROUP BY tenant
ORDER BY days DESC, tenant
