"""A real, headless Chromium of the system, and what a page did in it."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, WebSocket, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REQUIRED = "ANALYTICBOT_REQUIRE_BROWSER"
#: Only what never comes is waited for so long.
PATIENCE_MS = 120_000


def executable() -> str:
    """Chromium's path. Skips the test when there is none, unless one is required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = f"no Chromium on this machine ({', '.join(NAMES)})"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{reason}, and {REQUIRED}=1")
        pytest.skip(reason)
    return found


class Seen(NamedTuple):
    """What a page did so far."""

    page: Page
    #: Frames received on sockets.
    frames: list[str | bytes]
    #: Errors on the console, and exceptions that nobody caught.
    errors: list[str]
    #: Every address asked for.
    requests: list[str]

    def strangers(self) -> list[str]:
        """Requests that left the machine."""
        local = {"127.0.0.1", ""}
        return [url for url in self.requests if (urlsplit(url).hostname or "") not in local]


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """One Chromium, for many pages."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable(), headless=True, args=ARGUMENTS
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def browsing(
    browser: Browser,
    width: int = 1280,
    height: int = 900,
    colours: Literal["light", "dark"] = "light",
    is_mobile: bool = False,
) -> AsyncIterator[Seen]:
    """A page of a fresh browser profile."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=colours,
        is_mobile=is_mobile,
        has_touch=is_mobile,
    )
    context.set_default_timeout(PATIENCE_MS)
    yield watch(await context.new_page())
    await context.close()


def watch(page: Page) -> Seen:
    seen = Seen(page, [], [], [])

    def heard(frame: str | bytes) -> None:
        seen.frames.append(frame)

    def socket(opened: WebSocket) -> None:
        seen.requests.append(opened.url)
        opened.on("framereceived", heard)

    page.on("websocket", socket)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on(
        "console",
        lambda message: seen.errors.append(message.text) if message.type == "error" else None,
    )
    return seen
