"""`analyticbot login`, told where its Telegram is and which key to trust."""

import sys

from telethon.crypto import rsa
from telethon.sessions import StringSession

from analyticbot import cli
from analyticbot.commands import login


def _here() -> StringSession:
    session = StringSession()
    session.set_dc(2, "127.0.0.1", int(sys.argv[1]))
    return session


if __name__ == "__main__":
    rsa.add_key(sys.argv[2], old=False)
    login.new_session = _here
    sys.exit(cli.main(["login"]))
