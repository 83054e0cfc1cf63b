"""The page as somebody sees it: a real browser before a real demo."""

from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.web.chromium import PATIENCE_MS, browsing
from tests.web.demo import Demo

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=PATIENCE_MS)
ROWS = "[data-channel]"
SPARKLINES = "[...document.querySelectorAll('[data-sparkline] path')].map(p => p.getAttribute('d'))"
CANVAS = "document.querySelector('[data-views-chart] canvas').toDataURL()"
INKED = """() => {
  const canvas = document.querySelector('[data-views-chart] canvas');
  if (!canvas) return false;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, i) => i % 4 === 3 && value > 0);
}"""


async def moved(page: Page, expression: str) -> bool:
    """Waits until what the expression gives is another value."""
    before = await page.evaluate(f"JSON.stringify({expression})")
    await page.wait_for_function(f"before => JSON.stringify({expression}) !== before", arg=before)
    return True


async def ground(page: Page) -> int:
    """How light the page's background is, 0 to 255."""
    red: int = await page.evaluate(
        "Number(/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0])"
    )
    return red


async def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    wider: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return wider


async def test_channels_move_over_the_socket(demo: Demo, browser: Browser) -> None:
    async with browsing(browser) as seen:
        await seen.page.goto(demo.url)
        await expect(seen.page.locator(ROWS).first).to_be_visible()
        await expect(seen.page.locator("[data-connection=live]")).to_be_visible()
        # What is beside the list asks for each new post; the list itself asks for nothing.
        rest = len([url for url in seen.requests if "/api/v1/channels?" in url])
        frames = len(seen.frames)
        # The clock moves them too, but not for long without a frame.
        while len(seen.frames) == frames:
            assert await moved(seen.page, SPARKLINES)
        assert await moved(seen.page, SPARKLINES)
        assert len([url for url in seen.requests if "/api/v1/channels?" in url]) == rest
        assert await seen.page.locator(ROWS).count() >= 2
        await expect(seen.page.get_by_label("About this demo")).to_contain_text("measured")
        assert seen.errors == []
        assert seen.strangers() == []


async def test_a_failed_look_up_of_a_post_is_repeated(demo: Demo, browser: Browser) -> None:
    async with browsing(browser) as seen:
        failed: set[str] = set()

        async def fail_once(route: Route) -> None:
            channel = urlsplit(route.request.url).path
            if channel in failed:
                await route.continue_()
            else:
                failed.add(channel)
                await route.fulfill(status=503)

        await seen.page.route("**/api/v1/channels/*/posts?*", fail_once)
        await seen.page.goto(demo.url)
        newest = seen.page.get_by_role("region", name="Newest posts").get_by_role("listitem")
        for number in range(6):
            await expect(newest.nth(number)).to_contain_text("views")
        assert len(failed) >= 6


async def test_a_channels_chart_moves(demo: Demo, browser: Browser) -> None:
    async with browsing(browser) as seen:
        page = seen.page
        await page.goto(demo.url)
        await page.locator(f"{ROWS} a").first.click()
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await page.wait_for_function(INKED)
        assert await moved(page, CANVAS)
        for hours in ("6 h", "24 h", "7 d"):
            await page.get_by_text(hours, exact=True).first.click()
            await page.wait_for_function(INKED)
        await page.reload()
        await page.wait_for_function(INKED)
        await expect(page.locator("[data-post]").first).to_be_visible()
        assert seen.errors == []
        assert seen.strangers() == []


async def test_a_post_opens_into_its_curve(demo: Demo, browser: Browser) -> None:
    async with browsing(browser) as seen:
        page = seen.page
        await page.goto(f"{demo.url}/channels/hykilp")
        post = page.locator("[data-post]").first
        await post.scroll_into_view_if_needed()
        await post.get_by_role("button").click()
        await expect(post.locator("canvas")).to_be_visible()
        assert seen.errors == []


async def test_a_number_says_how_it_is_defined_to_the_keyboard_too(
    demo: Demo, browser: Browser
) -> None:
    async with browsing(browser) as seen:
        tile = seen.page.locator("[data-field=reach_24h]")
        await seen.page.goto(f"{demo.url}/channels/hykilp")
        # An answer may move a number that it does not know to another place.
        await expect(seen.page.locator("[data-value=posts]")).not_to_have_text("—")
        await expect(tile).to_be_visible()
        await tile.focus()
        told = seen.page.get_by_role("tooltip")
        await expect(told).to_contain_text("24 hours after publication")
        await expect(told).to_contain_text("reach_24h")
        await seen.page.keyboard.press("Escape")
        await expect(told).to_be_hidden()


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_follows_the_systems_colours_until_told(
    demo: Demo, browser: Browser, colours: Literal["light", "dark"]
) -> None:
    async with browsing(browser, colours=colours) as seen:
        page = seen.page
        await page.goto(demo.url)
        assert (await ground(page) > 200) == (colours == "light")
        await page.get_by_role("button", name="Use ").click()
        assert (await ground(page) > 200) == (colours == "dark")
        await page.reload()
        assert (await ground(page) > 200) == (colours == "dark")


async def test_fits_a_phone(demo: Demo, browser: Browser) -> None:
    async with browsing(browser, 390, 844, is_mobile=True) as seen:
        page = seen.page
        await page.goto(demo.url)
        await expect(page.locator(ROWS).first).to_be_visible()
        assert await overflow(page) <= 0
        await page.locator(f"{ROWS} a").first.click()
        await page.wait_for_function(INKED)
        await expect(page.locator("[data-post]").first).to_be_attached()
        assert await overflow(page) <= 0
        assert seen.errors == []


async def test_an_unknown_channel_is_said(demo: Demo, browser: Browser) -> None:
    async with browsing(browser) as seen:
        await seen.page.goto(f"{demo.url}/channels/nobody_of_this_name")
        alert = seen.page.get_by_role("alert")
        await expect(alert).to_contain_text("nobody_of_this_name")
        await expect(alert.get_by_role("button", name="Try again")).to_be_visible()


async def test_says_when_it_is_stale_and_when_it_reconnects(demo: Demo, browser: Browser) -> None:
    async with browsing(browser) as seen:
        page = seen.page
        await page.goto(demo.url)
        await expect(page.locator("[data-connection=live]")).to_be_visible()
        demo.freeze()
        stale = page.locator("[data-connection=stale]")
        await expect(stale).to_contain_text("Stale since")
        demo.thaw()
        await expect(page.locator("[data-connection=live]")).to_be_visible()
        demo.stop()
        away = page.locator("[data-connection=reconnecting]")
        await expect(away).to_contain_text("Reconnecting in")
        demo.start()
        await expect(page.locator("[data-connection=live]")).to_be_visible()
        assert await moved(page, SPARKLINES)
