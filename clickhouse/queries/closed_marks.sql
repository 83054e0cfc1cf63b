-- Up to which minute are the windows of each channel closed, not counting one (interrupted) batch?
SELECT channel_id, toInt64(toUnixTimestamp(max(start))) * 1000 AS start_ms
FROM windows
WHERE closed AND batch != {batch:UInt64}
GROUP BY channel_id
