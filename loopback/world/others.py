"""The dialogs of an account that are no channels: users, bots and basic groups."""

from typing import NamedTuple


class Person(NamedTuple):
    """A user or a bot."""

    user_id: int
    first_name: str
    username: str | None = None
    bot: bool = False


class BasicGroup(NamedTuple):
    """A group that is no supergroup. Its id may equal a channel's; the id spaces are separate."""

    chat_id: int
    title: str


Other = Person | BasicGroup
