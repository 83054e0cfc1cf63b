-- Channels followed, how far the sources have read them, who wants their alerts, what was delivered.
CREATE TABLE followed (
    reference TEXT NOT NULL PRIMARY KEY,
    channel_id BIGINT,
    username TEXT,
    followed_since_ms BIGINT NOT NULL
);

CREATE TABLE cursors (
    channel_id BIGINT NOT NULL PRIMARY KEY,
    last_post_id BIGINT NOT NULL,
    backfilled_to BIGINT,
    backfill_done BOOLEAN NOT NULL,
    access_hash BIGINT,
    recent TEXT
);

CREATE TABLE subscriptions (
    chat_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    PRIMARY KEY (chat_id, channel_id)
);

CREATE INDEX subscriptions_by_channel ON subscriptions (channel_id);

CREATE TABLE deliveries (
    alert_id TEXT NOT NULL,
    chat_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    observed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (alert_id, chat_id)
);

CREATE INDEX deliveries_by_age ON deliveries (observed_at_ms);
