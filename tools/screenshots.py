"""Take docs/screenshots/{light,dark,phone}.png of a running demo.

    analyticbot demo &
    python -m tools.screenshots [ADDRESS]

Needs Chromium on the PATH.
"""

import asyncio
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from playwright.async_api import Playwright, async_playwright, expect

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
#: Long enough for a minute of the demo's time to pass, so that every bar has been drawn.
SETTLE_MS = 4_000


class Shot(NamedTuple):
    name: str
    path: str
    colours: Literal["light", "dark"]
    width: int
    height: int
    scale: float


SHOTS = (
    Shot("light", "/", "light", 1280, 900, 1.5),
    Shot("dark", "/channels/{busiest}", "dark", 1280, 900, 1.5),
    Shot("phone", "/", "light", 390, 844, 2),
)


async def take(playwright: Playwright, address: str, shot: Shot) -> None:
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        raise SystemExit("Chromium is not on the PATH")
    with TemporaryDirectory() as profile:
        context = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=executable,
            headless=True,
            viewport={"width": shot.width, "height": shot.height},
            device_scale_factor=shot.scale,
            color_scheme=shot.colours,
            is_mobile=shot.width < 500,
            args=ARGUMENTS,
        )
        page = await context.new_page()
        await page.goto(address)
        rows = page.locator("[data-channel]")
        await expect(rows.first).to_be_visible()
        if "{busiest}" in shot.path:
            await page.wait_for_timeout(SETTLE_MS)
            await rows.first.locator("a").click()
            await expect(page.locator("[data-post]").first).to_be_attached()
        await page.wait_for_timeout(SETTLE_MS)
        await page.screenshot(path=FOLDER / f"{shot.name}.png")
        await context.close()


async def main(address: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        for shot in SHOTS:
            await take(playwright, address, shot)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"))
