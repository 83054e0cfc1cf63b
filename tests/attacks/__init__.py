"""What strangers on the network try, and what becomes of it.

Each file is one kind of attack, made on the real server over real sockets:

- test_idle.py         connections that say nothing, half a head, a slow body, that read nothing
- test_descriptors.py  more connections than the process may open files, on `serve` and `up`
- test_hosts.py        Host and Origin
- test_garbage.py      generated heads, paths, queries, cursors, resume tokens, raw bytes
- test_handshakes.py   of the live socket: too long, too many lines, other methods
- test_keys.py         weak keys, guessed keys, the session's cookie
- test_proxies.py      who is believed about whose request it is
- test_methods.py      HEAD, OPTIONS, others
- test_leaving.py      clients that go in the middle of something
- test_notices.py      what the log says of all that

Two laws hold for all: what a stranger sends is answered 4xx, or 503 with Retry-After, or closed;
and the log has neither an error nor a line for each of them. The fixture `said` watches for that.
"""
