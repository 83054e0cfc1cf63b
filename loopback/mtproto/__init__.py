"""The MTProto 2.0 server: from bytes on a socket to requests, and back.

Not for the meaning of requests (loopback.methods) or the state that they read
(loopback.world). The files, from the lowest layer up: framing and obfuscation,
rsa_key and key_exchange, encryption, messages, auth_keys, session, connection, server.
Protocol: https://core.telegram.org/mtproto.
"""
