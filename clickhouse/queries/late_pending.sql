-- Which late samples have windows that were not computed yet, or not up to the minute that they reach?
SELECT
    l.channel_id AS channel_id,
    l.offset AS late_offset,
    toUnixTimestamp64Milli(l.from_at) AS from_ms,
    toUnixTimestamp64Milli(l.to_at) AS to_ms,
    toUnixTimestamp64Milli(r.done_until) AS done_ms,
    toUnixTimestamp64Milli(r.needed_until) AS needed_ms
FROM (SELECT * FROM late_samples FINAL) AS l
LEFT JOIN (SELECT * FROM recomputed FINAL) AS r
    ON r.channel_id = l.channel_id AND r.late_offset = l.offset AND r.from_at = l.from_at AND r.to_at = l.to_at
WHERE r.channel_id IS NULL OR r.done_until <= r.needed_until
ORDER BY channel_id, late_offset
SETTINGS join_use_nulls = 1
