"""What operators set: channels followed, accounts of Telegram, alert subscriptions. And the cursors
of the sources, leases of what one process does at a time, channels assigned to accounts.

A small relational database: SQLite on one machine, PostgreSQL on many.
"""
