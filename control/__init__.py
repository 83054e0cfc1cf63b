"""What operators set: channels followed, Telegram accounts, alert subscriptions, settings; and the
cursors of sources, leases, and claims of channels by accounts.

A small relational database: SQLite on one machine, PostgreSQL on many.
"""
