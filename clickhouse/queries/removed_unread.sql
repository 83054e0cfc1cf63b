-- Which messages did the log remove before they were stored?
SELECT topic, partition, first, next, toUnixTimestamp64Milli(before) AS before_ms
FROM removed_unread FINAL
ORDER BY topic, partition, first
