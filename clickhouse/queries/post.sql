-- What is known of one post (or of the album that it belongs to), published in [from_ms, to_ms)?
SELECT
    p.post_id AS post_id, p.post_ids AS post_ids, p.date_ms AS date_ms, p.text AS text,
    p.views AS views, p.forwards AS forwards, p.replies AS replies, p.reactions AS reactions,
    p.rated_views AS rated_views, p.rated_answers AS rated_answers,
    p.observed_at_ms AS observed_at_ms, p.sources AS sources,
    toBool(p.edited) AS edited, toBool(p.deleted) AS deleted,
    v.velocity_per_h AS velocity_per_h
FROM published(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64}) AS p
LEFT JOIN
(
    SELECT toNullable(velocity_per_h) AS velocity_per_h, post_id
    FROM velocities(channel_id = {channel_id:Int64}, from_ms = {from_ms:Int64}, to_ms = {to_ms:Int64})
) AS v ON v.post_id = p.post_id
WHERE has(p.post_ids, {post_id:Int64})
