"""The state of the loopback Telegram: accounts, channels, posts, counters, subscribers.

Independent of MTProto; loopback.methods renders it as Telegram does.
"""
