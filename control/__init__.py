"""What operators set: channels followed, cursors of the sources, alert subscriptions.

A small relational database: SQLite on one machine, PostgreSQL on many.
"""
