"""Cursors as opaque text: bytes in URL-safe base64, unpadded."""

import base64


class InvalidCursor(ValueError):
    """The text is not a cursor, or belongs to something else; faces answer 400."""

    def __init__(self, why: str = "") -> None:
        super().__init__(f"invalid cursor: {why}" if why else "invalid cursor")


def write(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read(text: str) -> bytes:
    """Raises InvalidCursor."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidCursor from error
