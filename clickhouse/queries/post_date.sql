-- When was a post published?
SELECT toUnixTimestamp64Milli(date) AS date_ms
FROM posts FINAL
WHERE channel_id = {channel_id:Int64} AND post_id = {post_id:Int64}
