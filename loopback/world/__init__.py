"""What there is on the loopback Telegram: accounts, channels, posts, counters, subscribers.

Knows nothing of MTProto; loopback.methods says it as Telegram does.
"""
