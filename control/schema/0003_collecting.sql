-- How each followed channel is, which posts its collector knows, and how long Telegram asked it to wait.
ALTER TABLE followed ADD COLUMN status TEXT NOT NULL DEFAULT 'pending';

ALTER TABLE followed ADD COLUMN status_reason TEXT NOT NULL DEFAULT '';

ALTER TABLE followed ADD COLUMN status_until_ms BIGINT;

ALTER TABLE followed ADD COLUMN status_at_ms BIGINT;

CREATE TABLE flood_waits (
    account_id BIGINT NOT NULL,
    method TEXT NOT NULL,
    channel_id BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, method, channel_id)
);

CREATE TABLE known_posts (
    channel_id BIGINT NOT NULL,
    page BIGINT NOT NULL,
    posts TEXT NOT NULL,
    PRIMARY KEY (channel_id, page)
);

INSERT INTO known_posts SELECT channel_id, -1, recent FROM cursors WHERE recent IS NOT NULL;

ALTER TABLE cursors DROP COLUMN recent;

ALTER TABLE cursors ADD COLUMN compared_to BIGINT;
