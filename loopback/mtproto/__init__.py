"""The MTProto 2.0 server: from bytes on a socket to requests, and back.

Not for what the requests mean (loopback.methods) or what there is to ask for
(loopback.world). Upwards in the order of the files' names: framing and obfuscation,
rsa_key and key_exchange, encryption, messages, auth_keys, session, connection, server.
Protocol: https://core.telegram.org/mtproto.
"""
