-- @title Time to recover
-- @about controls
-- @answers How long did it take until a loss was made good, and which losses still stand?
-- Recovered on the first counted day with the former share of the maximum (of the points, where no maximum is known).
-- days are those from the loss to the recovery, or to the tenant's last counted day where it still stands.
-- @param tenant = all
-- @param control = all
-- @param from = 90 days before to
-- @param to = newest
-- @show tenant, title, lost_on, recovered_on, days, points_before → points_after
WITH days AS (
  SELECT tenant, date
  FROM scores
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND counted
),
last_days AS (
  SELECT tenant, max(date) AS last_date
  FROM days
  GROUP BY tenant
),
losses AS (
  SELECT
    tenant,
    control,
    title,
    category,
    date AS lost_on,
    points_before,
    points_after,
    points_before / coalesce(nullif(maximum_before, 0), 1) AS share_before,
    maximum_before
  FROM changes
  WHERE month BETWEEN :from_month AND :to_month
    AND date BETWEEN :from AND :to
    AND (:tenant IS NULL OR tenant = :tenant)
    AND (:control IS NULL OR control = :control)
    AND kind = 'lost'
),
recoveries AS (
  SELECT l.tenant, l.control, l.lost_on, min(c.date) AS recovered_on
  FROM losses l
  JOIN controls c ON c.tenant = l.tenant AND c.control = l.control
  JOIN days d ON d.tenant = c.tenant AND d.date = c.date
  WHERE c.month BETWEEN :from_month AND :to_month
    AND c.date BETWEEN :from AND :to
    AND c.date > l.lost_on
    AND (
      (
        l.maximum_before IS NOT NULL
        AND c.maximum > 0
        AND c.points / c.maximum > l.share_before - 0.0001
      )
      OR (
        (l.maximum_before IS NULL OR c.maximum IS NULL)
        AND c.points > l.points_before - 0.005
      )
    )
  GROUP BY l.tenant, l.control, l.lost_on
)
SELECT
  l.tenant,
  l.control,
  l.title,
  l.category,
  l.lost_on,
  r.recovered_on,
  date_diff('day', l.lost_on, coalesce(r.recovered_on, e.last_date)) AS days,
  l.points_before,
  l.points_after
FROM losses l
LEFT JOIN last_days e ON e.tenant = l.tenant
LEFT JOIN recoveries r ON r.tenant = l.tenant AND r.control = l.control AND r.lost_on = l.lost_on
ORDER BY
  CASE WHEN r.recovered_on IS NULL THEN 0 ELSE 1 END,
  date_diff('day', l.lost_on, coalesce(r.recovered_on, e.last_date)) DESC,
  l.tenant,
  l.control,
  l.lost_on
