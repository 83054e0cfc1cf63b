-- Which time the gains of a minute rest on, counters at ages without rounding, and samples that came
-- too late for the windows.

-- The channel's newest sampling instant before the first one in the minute (NULL: none, or more than
-- 24 h before), and the last one in the minute. So (sampled_from, sampled_to] is observed time.
ALTER TABLE windows
    ADD COLUMN IF NOT EXISTS sampled_from Nullable(DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS sampled_to Nullable(DateTime64(3, 'UTC'));

ALTER TABLE post_ages
    MODIFY COLUMN views Nullable(Float64),
    MODIFY COLUMN forwards Nullable(Float64),
    MODIFY COLUMN replies Nullable(Float64),
    MODIFY COLUMN reactions Nullable(Float64);

-- Samples whose gains no window took: the message at `offset` of telegram.updates told of `samples`
-- posts at `from_at`. The minutes of [from_at, to_at] do not say what post_samples says.
CREATE TABLE IF NOT EXISTS late_samples
(
    channel_id Int64,
    offset Int64,
    from_at DateTime64(3, 'UTC'),
    to_at DateTime64(3, 'UTC'),
    samples Int64,
    observed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(observed_at)
ORDER BY (channel_id, offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
