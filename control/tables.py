"""The control store's tables as queries see them. `schema/` makes them; a test holds the two equal.

Column names are the field names of the structs in `store`, so that a row is a struct.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text

METADATA = MetaData()

FOLLOWED = Table(
    "followed",
    METADATA,
    Column("reference", Text, primary_key=True),
    Column("channel_id", BigInteger),
    Column("username", Text),
    Column("followed_since_ms", BigInteger, nullable=False),
    Column("status", Text, nullable=False, server_default="pending"),
    Column("status_reason", Text, nullable=False, server_default=""),
    Column("status_until_ms", BigInteger),
    Column("status_at_ms", BigInteger),
)

CURSORS = Table(
    "cursors",
    METADATA,
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("last_post_id", BigInteger, nullable=False),
    Column("backfilled_to", BigInteger),
    Column("backfill_done", Boolean, nullable=False),
    Column("access_hash", BigInteger),
    Column("compared_to", BigInteger),
)

KNOWN_POSTS = Table(
    "known_posts",
    METADATA,
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("page", BigInteger, primary_key=True, autoincrement=False),
    Column("posts", Text, nullable=False),
)

FLOOD_WAITS = Table(
    "flood_waits",
    METADATA,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("method", Text, primary_key=True),
    #: 0 where all channels have to wait.
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("until_ms", BigInteger, nullable=False),
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Index("subscriptions_by_channel", "channel_id"),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("alert_id", Text, primary_key=True),
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("observed_at_ms", BigInteger, nullable=False),
    Index("deliveries_by_age", "observed_at_ms"),
)

LEASES = Table(
    "leases",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("session", Text, nullable=False),
    Column("added_at_ms", BigInteger, nullable=False),
    Column("refused", Text),
)

SHARES = Table(
    "shares",
    METADATA,
    Column("reference", Text, primary_key=True),
    Column("account_id", BigInteger, nullable=False),
)

ACCESS_HASHES = Table(
    "access_hashes",
    METADATA,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("access_hash", BigInteger, nullable=False),
)

SETTINGS = Table(
    "settings",
    METADATA,
    Column("name", Text, primary_key=True),
    #: 0 for all channels.
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Text),
    Column("version", BigInteger, nullable=False),
)
