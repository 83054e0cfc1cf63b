-- Which channels was anything observed of before before_ms?
SELECT DISTINCT channel_id
FROM
(
    SELECT channel_id FROM observed_hours WHERE hour < fromUnixTimestamp64Milli({before_ms:Int64})
)
ORDER BY channel_id
