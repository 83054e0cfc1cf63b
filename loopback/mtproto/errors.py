"""The errors between a client and the server.

MtprotoError
├── FramingError      the bytes are not a packet of a known transport
├── KeyExchangeError  the client's step does not follow from the server's
├── UnknownAuthKey    the server answers with the transport error -404
└── DamagedMessage    the message does not decrypt or parse
RpcFailure            the answer to one request is an error
Cut                   the connection ends now, without an answer
"""


class MtprotoError(Exception):
    """Ends only the connection that caused it."""


class FramingError(MtprotoError): ...


class KeyExchangeError(MtprotoError): ...


class UnknownAuthKey(MtprotoError): ...


class DamagedMessage(MtprotoError): ...


class RpcFailure(Exception):
    """Raised by a method: the caller gets an `rpc_error`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class Cut(Exception):
    """Raised by a method: the caller's connection is cut before the answer."""
