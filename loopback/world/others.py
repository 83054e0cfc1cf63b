"""What an account talks to that is no channel: users, bots and basic groups."""

from typing import NamedTuple


class Person(NamedTuple):
    """A user or a bot."""

    user_id: int
    first_name: str
    username: str | None = None
    bot: bool = False


class BasicGroup(NamedTuple):
    """A group that has not become a supergroup. Its id may equal a channel's: they are apart."""

    chat_id: int
    title: str


Other = Person | BasicGroup
