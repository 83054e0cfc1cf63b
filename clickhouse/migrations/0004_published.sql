-- The posts of a channel published in [from_ms, to_ms), an album once, with their newest counters.
--
-- An album is the posts that share an album_id: its id is the lowest, its date the earliest, its
-- text the first that is not empty, its counters the highest of its posts (never their sum: Telegram
-- counts one view of the album in each of its posts). It belongs to the range that holds its date;
-- posts of one album are published within seconds of each other, here at most ten minutes.
-- `deleted`: all of it is. `observed_at_ms`: when the newest counter was read, 0 with none.
CREATE VIEW IF NOT EXISTS published AS
WITH
    told AS
    (
        SELECT p.post_id AS post_id, p.date AS date, p.text AS text, p.album_id AS album_id,
            p.edited AS edited, p.observed_at AS observed_at
        FROM posts AS p FINAL
        WHERE p.channel_id = {channel_id:Int64}
            AND p.date >= fromUnixTimestamp64Milli({from_ms:Int64} - 600000)
            AND p.date < fromUnixTimestamp64Milli({to_ms:Int64} + 600000)
    ),
    counted AS
    (
        SELECT
            h.post_id AS post_id,
            toInt64(bitAnd(max(h.views), toInt128(18446744073709551615))) AS views,
            toInt64(bitAnd(max(h.forwards), toInt128(18446744073709551615))) AS forwards,
            toInt64(bitAnd(max(h.replies), toInt128(18446744073709551615))) AS replies,
            toInt64(bitAnd(max(h.reactions), toInt128(18446744073709551615))) AS reactions,
            toUnixTimestamp64Milli(max(h.observed_at)) AS observed_at_ms,
            groupUniqArray(h.source) AS sources
        FROM post_hourly AS h
        WHERE h.channel_id = {channel_id:Int64} AND h.post_id IN (SELECT post_id FROM told)
        GROUP BY h.post_id
    ),
    removed AS
    (
        SELECT d.post_id AS post_id, max(d.observed_at) AS deleted_at
        FROM post_deletions AS d
        WHERE d.channel_id = {channel_id:Int64}
        GROUP BY d.post_id
    )
SELECT
    min(t.post_id) AS post_id,
    groupArray(t.post_id) AS post_ids,
    min(toUnixTimestamp64Milli(t.date)) AS date_ms,
    argMin(t.text, (empty(t.text), t.post_id)) AS text,
    max(c.views) AS views,
    max(c.forwards) AS forwards,
    max(c.replies) AS replies,
    max(c.reactions) AS reactions,
    max(c.observed_at_ms) AS observed_at_ms,
    groupUniqArrayArray(c.sources) AS sources,
    max(t.edited) AS edited,
    min(r.deleted_at >= t.observed_at) AS deleted
FROM told AS t
LEFT JOIN counted AS c ON c.post_id = t.post_id
LEFT JOIN removed AS r ON r.post_id = t.post_id
GROUP BY t.album_id IS NULL, coalesce(t.album_id, t.post_id)
HAVING date_ms >= {from_ms:Int64} AND date_ms < {to_ms:Int64}
;

-- Views gained an hour between the two newest samples of each post dated in [from_ms, to_ms).
-- NULL with fewer than two; a counter that fell has gained nothing.
CREATE VIEW IF NOT EXISTS velocities AS
SELECT
    post_id,
    if(count() = 2,
        greatest(argMax(views, at_ms) - argMin(views, at_ms), 0) * 3600000 / (max(at_ms) - min(at_ms)),
        NULL) AS velocity_per_h
FROM
(
    SELECT
        s.post_id AS post_id,
        toUnixTimestamp64Milli(s.observed_at) AS at_ms,
        assumeNotNull(max(s.views)) AS views
    FROM post_samples AS s
    WHERE s.channel_id = {channel_id:Int64}
        AND s.views IS NOT NULL
        AND s.post_id IN
        (
            SELECT p.post_id
            FROM posts AS p FINAL
            WHERE p.channel_id = {channel_id:Int64}
                AND p.date >= fromUnixTimestamp64Milli({from_ms:Int64})
                AND p.date < fromUnixTimestamp64Milli({to_ms:Int64})
        )
    GROUP BY post_id, at_ms
    ORDER BY post_id, at_ms DESC
    LIMIT 2 BY post_id
)
GROUP BY post_id
