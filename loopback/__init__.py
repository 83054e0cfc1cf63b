"""Telegram on 127.0.0.1, for the demo and the tests: an MTProto server and a Bot API server."""
