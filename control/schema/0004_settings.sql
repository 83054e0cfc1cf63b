-- What operators set of decisions, for all channels (channel_id 0) or for one. A value is JSON; NULL: unset.
CREATE TABLE settings (
    name TEXT NOT NULL,
    channel_id BIGINT NOT NULL,
    value TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (name, channel_id)
);
