"""What goes wrong between a client and the server.

MtprotoError
├── FramingError      the bytes are not a packet of a transport that we know
├── KeyExchangeError  the client's step does not follow from the server's
├── UnknownAuthKey    answered with the transport error -404
└── DamagedMessage    does not decrypt to what it says it is
RpcFailure            the answer to one request is an error
Cut                   the connection ends now, without an answer
"""


class MtprotoError(Exception):
    """Ends the connection that caused it, and nothing else."""


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
    """Raised by a method: the caller's connection is cut before it gets an answer."""
