"""Stored sessions of accounts, each sealed for its account."""

from control.sealing import Key, KeyUnavailable, SealedOtherwise, is_sealed, key_name

_LOGIN = "run `analyticbot login` again"


class Sessions:
    """By one process's key."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def sealed(self, account_id: int, session: str) -> str:
        """Seal a session for storage. Raises KeyUnavailable."""
        return self._key.to_seal().seal(session, _owner(account_id))

    def opened(self, account_id: int, stored: str) -> tuple[str | None, str | None]:
        """(session, None); or (None, why this process cannot open it and what to do)."""
        if not is_sealed(stored):
            return stored, None
        wanted = key_name(stored)
        try:
            sealer = self._key.to_open()
            if sealer is not None:
                return sealer.opened(stored, _owner(account_id)), None
        except KeyUnavailable as error:
            return None, str(error)
        except SealedOtherwise:
            if sealer and sealer.name == wanted:
                return None, f"its session is damaged: {_LOGIN}"
        has = f"the key here is {sealer.name}" if sealer else "there is no key here"
        return None, f"its session is sealed by key {wanted}, {has}: restore that key, or {_LOGIN}"


def _owner(account_id: int) -> str:
    """What a session is sealed for: it opens as no other account's."""
    return f"account/{account_id}"
