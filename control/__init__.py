"""What operators set: channels followed, accounts of Telegram, alert subscriptions; the cursors of the
sources; and who does what: leases of what one process does at a time, channels shared among accounts.

A small relational database: SQLite on one machine, PostgreSQL on many.
"""
