-- How many of some posts of a channel are stored?
SELECT uniqExact(post_id) AS posts
FROM posts
WHERE channel_id = {channel_id:Int64} AND post_id IN {post_ids:Array(Int64)}
