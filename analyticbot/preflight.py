"""Checks before anything starts, so that wrong use ends with one line and exit code 2."""

import errno
import os
import socket
from pathlib import Path

from analyticbot.config import ConfigError, Settings


def check_folder(folder: Path) -> None:
    """Creates the data folder. Raises ConfigError if it cannot be created or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"ANALYTICBOT_DATA: {folder} cannot be made: {error.strerror}") from error
    look_at_folder(folder)


def look_at_folder(folder: Path) -> None:
    """Raises ConfigError if the data folder exists and cannot be written; does not create it."""
    try:
        made = folder.is_dir() or folder.exists()
    except OSError as error:
        raise ConfigError(f"ANALYTICBOT_DATA: {folder}: {error.strerror}") from error
    if made and not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"ANALYTICBOT_DATA: {folder} cannot be written by this user")


def check_port(host: str, port: int) -> None:
    """Raises ConfigError if the process cannot listen on the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(_why(host, port, error)) from error


def check_credentials(settings: Settings) -> None:
    """Raises ConfigError without Telegram's application id and hash."""
    missing = [
        variable
        for variable, value in (
            ("TELEGRAM_API_ID", settings.telegram_api_id),
            ("TELEGRAM_API_HASH", settings.telegram_api_hash),
        )
        if not value
    ]
    if missing:
        raise ConfigError(
            f"{' and '.join(missing)}: not set; get them from https://my.telegram.org, "
            "or look around without an account: analyticbot demo"
        )


def check_cluster(settings: Settings, role: str) -> None:
    """Raises ConfigError for an embedded log, which only one process can open."""
    if settings.log.startswith("embedded:"):
        raise ConfigError(
            f"ANALYTICBOT_LOG: {settings.log} can be opened by one process only, so "
            f"`{role}` cannot use it: run `analyticbot up`, or set kafka://host:port"
        )


def check_bot(settings: Settings) -> None:
    """Raises ConfigError without the bot's token."""
    if not settings.bot_token:
        raise ConfigError("BOT_TOKEN: not set; get one from @BotFather")


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"ANALYTICBOT_PORT: {port} is in use on {host}: stop what uses it, or give another "
            "with --port"
        )
    if error.errno == errno.EACCES:
        return (
            f"ANALYTICBOT_PORT: {port} needs privileges this user does not have: choose another "
            "with --port"
        )
    return f"ANALYTICBOT_HOST: cannot listen on {host}:{port}: {error.strerror}"
