-- What was decided of a channel in one kind of message that is kept whole, newest first?
SELECT key, body, toUnixTimestamp64Milli(observed_at) AS observed_at_ms
FROM messages FINAL
WHERE kind = {kind:String} AND channel_id = {channel_id:Int64}
ORDER BY observed_at_ms DESC, key
LIMIT {limit:Int64}
