"""All texts of the bot, in Telegram's HTML, except bot/definitions.py; tests pin each of them.

All outside text passes through `escape`.
"""

from collections.abc import Callable, Sequence
from html import escape as escape_html
from typing import NamedTuple
from urllib.parse import quote

from bot.definitions import DEFINITIONS
from bot.figures import UNKNOWN, change, figure, moment, of_hours, of_posts, percent
from clickhouse.reader import Channel, Evidence, Overview, Post
from clickhouse.records import opening
from control.store import Followed
from streams.analytics import Alert
from streams.ids import ChannelId

COMMANDS = {
    "channels": "followed channels and the views they gained",
    "overview": "a channel's last 24 hours: /overview CHANNEL",
    "subscribe": "get a channel's alerts here: /subscribe CHANNEL",
    "unsubscribe": "stop a channel's alerts: /unsubscribe CHANNEL",
    "definitions": "what the figures mean",
    "help": "how to use this bot",
}

#: The length of the period of every answer.
HOURS = 24

#: Labels of buttons.
ALERTS_ON = "🔔 Get alerts"
ALERTS_OFF = "🔕 Stop alerts"
REFRESH = "🔄 Refresh"
OLDER = "◀"
NEWER = "▶"

#: How many followed but unobserved channels an answer names.
MOST_LOST = 5

NO_CHANNELS = (
    "No channel has been observed yet. The operator adds one with "
    "<code>analyticbot follow @channel</code>."
)
UNKNOWN_COMMAND = "Unknown command. See /help."
FAILED = "Something went wrong; it has been logged. Please try again in a minute."
UNAVAILABLE = "The figures are unavailable right now. Please try again in a minute."
OUTDATED_BUTTON = "This button is out of date. Send the command again."


class Links(NamedTuple):
    """URLs of the page. Telegram drops a link that it cannot follow, and keeps its text."""

    base_url: str

    def channel(self, channel_id: ChannelId, username: str | None) -> str:
        return f"{self.base_url}/channels/{quote(username or str(channel_id))}"


def escape(text: str) -> str:
    """Escape text for use between tags, and in an attribute in double quotes."""
    return escape_html(text, quote=False).replace('"', "&quot;")


def start() -> str:
    return (
        "<b>AnalyticBot</b> measures Telegram channels minute by minute and sends an alert when "
        f"views rise unusually fast.\n\n{_commands()}\n\n"
        "— means unknown. Every answer says when its figures were observed."
    )


def help_() -> str:
    return (
        f"{_commands()}\n\n"
        "CHANNEL is a @username or a channel id. The buttons under the answers do the same.\n"
        "Each alert is one message, which is updated while the alert lasts and when it ends."
    )


def definitions() -> str:
    return "\n\n".join(f"<b>{name}</b>: {meaning}" for name, meaning in DEFINITIONS.items())


def _commands() -> str:
    return "\n".join(f"/{name} – {escape(meaning)}" for name, meaning in COMMANDS.items())


def title_of(channel: Channel) -> str:
    """The channel's title, else its username or id; not escaped, for labels."""
    return channel.title or (f"@{channel.username}" if channel.username else str(channel.id))


def channels(
    rows: Sequence[tuple[Channel, Overview, Evidence]], first: int, total: int, links: Links
) -> str:
    """A page of the list: rows `first` + 1 … of `total`. `Overview` covers the last 24 hours."""
    lines = [f"<b>Channels</b> {first + 1}–{first + len(rows)} of {total}"]
    lines += [_row(*row, links) for row in rows]
    return "\n\n".join(lines)


def unobserved(followed: Sequence[Followed]) -> str:
    """The followed channels that cannot be observed; empty if there are none."""
    said = [one for one in followed if one.status in ("not_found", "not_a_channel", "banned")]
    lines = [f"{escape(_reference(one))}: {escape(one.status_reason)}" for one in said[:MOST_LOST]]
    if len(said) > MOST_LOST:
        lines.append(f"and {len(said) - MOST_LOST} more")
    return "\n".join(["<b>Followed, but not observed</b>", *lines]) if lines else ""


def _reference(followed: Followed) -> str:
    return followed.reference if followed.reference.isdecimal() else f"@{followed.reference}"


def _row(channel: Channel, overview: Overview, evidence: Evidence, links: Links) -> str:
    observed = "" if overview.views_gained is None else _hours(evidence, "views_gained")
    return (
        f"{_linked(channel, links)}\n"
        f"{figure(channel.subscribers)} subscribers · "
        f"{change(overview.views_gained)} views in {observed or f'{HOURS} h'}\n"
        f"<i>as of {moment(channel.last_sample_at_ms)}{_status(channel)}</i>"
    )


def _linked(channel: Channel, links: Links) -> str:
    name = f' <a href="https://t.me/{channel.username}">@{channel.username}</a>'
    page = links.channel(channel.id, channel.username)
    title = f'<b><a href="{escape(page)}">{escape(title_of(channel))}</a></b>'
    return title + (name if channel.username else "")


def _status(channel: Channel) -> str:
    """Why the figures may be out of date; empty while the channel is observed."""
    quiet = ("live", "recorded", "unknown")
    words = _STATUSES.get(channel.status, channel.status)
    return "" if channel.status in quiet else f" · {escape(words)}"


#: The same words as on the page (dashboard/src/parts/Status.svelte).
_STATUSES = {
    "away": "Telegram cannot be reached",
    "waiting": "Telegram asked to wait",
    "private": "no longer readable",
    "banned": "banned by Telegram",
    "not_found": "not found",
    "not_a_channel": "not a channel",
    "duplicate": "followed twice",
    "pending": "not tried yet",
}


def overview(
    channel: Channel, known: Overview, evidence: Evidence, to_ms: int, links: Links
) -> str:
    """The figures of the 24 hours before `to_ms`."""
    gained = _during(evidence, "views_gained", "observed")
    grown = _during(evidence, "subscribers_change", "observed")
    read = _during(evidence, "posts", "read")

    def rests(name: str) -> str:
        return of_posts(evidence.figures.get(name), known.posts)

    figures = [
        ("Subscribers", figure(channel.subscribers), ""),
        ("Change of subscribers", change(known.subscribers_change), grown),
        ("Views gained", change(known.views_gained), gained),
        ("Posts", figure(known.posts), read),
        ("Views of these posts", figure(known.views), rests("views")),
        ("Views per post, mean", figure(known.views_per_post_mean), rests("views")),
        ("Views per post, median", figure(known.views_per_post_median), rests("views")),
        *_reach(known, rests),
        ("Forwards", figure(known.forwards), rests("forwards")),
        ("Replies", figure(known.replies), rests("replies")),
        ("Reactions", figure(known.reactions), rests("reactions")),
        ("ERR", percent(known.err_percent), rests("err_percent")),
        ("ERR after 24 h", percent(known.err24_percent), rests("err24_percent")),
        ("Engagement by views", percent(known.er_by_views_percent), rests("er_by_views_percent")),
    ]
    lines = (
        f"{name}: <b>{value}</b>{f' · {basis}' if basis and value != UNKNOWN else ''}"
        for name, value, basis in figures
    )
    return (
        f"{_linked(channel, links)}\n<i>{HOURS} hours up to {moment(to_ms)}</i>\n\n"
        + "\n".join(lines)
        + f"\n\n<i>{_evidence(evidence)}{_status(channel)}</i>\n"
        "/definitions explains the figures"
    )


def _reach(known: Overview, rests: Callable[[str], str]) -> Sequence[tuple[str, str, str]]:
    """Reach at the ages at which it is known, which depend on the sampling of the posts."""
    values = {hours: getattr(known, f"reach_{hours}h") for hours in (1, 12, 24, 48)}
    shown = [
        (f"Views per post after {hours} h", figure(value), rests(f"reach_{hours}h"))
        for hours, value in values.items()
        if value is not None
    ]
    return shown or [("Views per post by age", UNKNOWN, "")]


def _hours(evidence: Evidence, name: str) -> str:
    basis = evidence.figures.get(name)
    return of_hours(basis.coverage if basis else 0.0, HOURS)


def _during(evidence: Evidence, name: str, verb: str) -> str:
    hours = _hours(evidence, name)
    return f"{hours} {verb}" if hours else ""


def _evidence(evidence: Evidence) -> str:
    if evidence.as_of_ms is None:
        return "Nothing was observed in this period"
    sources = escape(", ".join(evidence.sources)) or UNKNOWN
    return f"as of {moment(evidence.as_of_ms)} · source: {sources}"


def alert(message: Alert, channel: Channel | None, post: Post | None, links: Links) -> str:
    """An alert's message, in each state. `channel` or `post` None: unknown to history."""
    name = title_of(channel) if channel else str(message.channel_id)
    page = links.channel(message.channel_id, channel.username if channel else None)
    is_over = message.state == "resolved"
    kind = _ALERTS.get(message.type, message.type.replace("_", " ").capitalize())
    head = f"✅ <b>{escape(kind)} is over</b>" if is_over else f"🔺 <b>{escape(kind)}</b>"
    parts = [
        f'{head} · <b><a href="{escape(page)}">{escape(name)}</a></b>',
        "",
        _post(message, post),
        _measured(message),
        _period(message),
        "/definitions" if message.type in _ALERTS else f"<i>{escape(message.method)}</i>",
    ]
    return "\n".join(part for part in parts if part is not None)


def _post(message: Alert, post: Post | None) -> str | None:
    """The alert's post, by its first words."""
    if message.post_id is None:
        return None
    words = escape(opening(post.text)) if post and post.text else f"Post {message.post_id}"
    return f'<a href="{escape(post.url)}">{words}</a>' if post and post.url else words


_ALERTS = {"spike": "Views spike"}


def _measured(message: Alert) -> str:
    unit = "views per minute" if message.type == "spike" else "observed"
    observed = figure(round(message.observed))
    expected = None if message.expected is None else round(message.expected)
    return f"<b>{observed}</b> {unit}; expected {figure(expected)}"


def _period(message: Alert) -> str:
    if message.state == "resolved":
        return f"{moment(message.raised_at_ms)} to {moment(message.resolved_at_ms)}"
    return f"since {moment(message.raised_at_ms)}, as of {moment(message.observed_at_ms)}"


def which_channel(command: str) -> str:
    return f"Which channel? <code>/{command} @username</code>, or choose one from /channels."


def no_such_channel(text: str) -> str:
    return f"<code>{escape(text[:64])}</code> is not a followed channel. See /channels."


def no_channel(reason: str) -> str:
    return f"{escape(reason)}. See /channels."


def subscribed(channel: Channel, is_new: bool) -> str:
    name = escape(title_of(channel))
    verb = "now gets" if is_new else "already gets"
    return f"This chat {verb} alerts for <b>{name}</b>."


def unsubscribed(channel: Channel, was_there: bool) -> str:
    name = escape(title_of(channel))
    verb = "no longer gets" if was_there else "was not getting"
    return f"This chat {verb} alerts for <b>{name}</b>."


def subscribed_briefly(channel: Channel, is_on: bool) -> str:
    """The answer to a press of a button: short plain text."""
    return f"Alerts {'on' if is_on else 'off'}: {title_of(channel)[:100]}"


def private_bot(chat_id: int) -> str:
    return f"This bot is private. Its operator can allow this chat: <code>{chat_id}</code>."
