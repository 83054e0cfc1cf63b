-- Who holds what in a cluster, Telegram's accounts, and which account observes which channel.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    until_ms BIGINT NOT NULL
);

CREATE TABLE accounts (
    id BIGINT NOT NULL PRIMARY KEY,
    session TEXT NOT NULL,
    added_at_ms BIGINT NOT NULL,
    refused TEXT
);

CREATE TABLE shares (
    reference TEXT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL
);

CREATE TABLE access_hashes (
    account_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    access_hash BIGINT NOT NULL,
    PRIMARY KEY (account_id, channel_id)
);
