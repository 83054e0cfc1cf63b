"""Every text of the bot, in Telegram's HTML. The one file to translate; tests hold each of them.

Whatever comes from outside goes through `escape`.
"""

from collections.abc import Sequence
from html import escape as escape_html
from typing import NamedTuple
from urllib.parse import quote

from bot.figures import UNKNOWN, change, figure, moment, percent
from clickhouse.reader import Channel, Evidence, Overview
from streams.analytics import Alert
from streams.ids import ChannelId

COMMANDS = {
    "channels": "the channels that are watched, and what they gained",
    "overview": "one channel's last 24 hours: /overview CHANNEL",
    "subscribe": "get a channel's alerts here: /subscribe CHANNEL",
    "unsubscribe": "no more of them: /unsubscribe CHANNEL",
    "definitions": "what each figure means",
    "help": "how to use this bot",
}

#: Labels of buttons.
ALERTS_ON = "🔔 Get alerts"
ALERTS_OFF = "🔕 No more alerts"
REFRESH = "🔄 Refresh"
OLDER = "◀"
NEWER = "▶"

NO_CHANNELS = (
    "No channel has been observed yet. The operator adds one with "
    "<code>analyticbot follow @channel</code>."
)
UNKNOWN_COMMAND = "I do not understand that. /help says what I can do."
FAILED = "Something went wrong; it has been logged. Please try again in a minute."
UNAVAILABLE = "The figures cannot be read right now. Please try again in a minute."
OUTDATED_BUTTON = "This button is out of date. Send the command again."


class Links(NamedTuple):
    """Addresses of the page. Telegram drops a link that it cannot follow, and keeps its words."""

    base_url: str

    def channel(self, channel_id: ChannelId, username: str | None) -> str:
        return f"{self.base_url}/channels/{quote(username or str(channel_id))}"


def escape(text: str) -> str:
    """Fit to stand between tags, and in an attribute in double quotes."""
    return escape_html(text, quote=False).replace('"', "&quot;")


def start() -> str:
    return (
        "<b>AnalyticBot</b> watches Telegram channels: what they gain, minute by minute, and what "
        f"is unusual.\n\n{_commands()}\n\n"
        "A figure that is not known is shown as —, and every answer says when it was observed."
    )


def help_() -> str:
    return (
        f"{_commands()}\n\n"
        "CHANNEL is a @username or a channel id. Buttons under the answers do the same.\n"
        "An alert is one message: it is edited while the alert goes on, and when it is over."
    )


def definitions() -> str:
    return "\n\n".join(f"<b>{name}</b>: {meaning}" for name, meaning in _DEFINITIONS.items())


#: The last 24 hours, as everywhere in the bot.
_DEFINITIONS = {
    "Subscribers": "the newest number that was observed; its change is against the first one "
    "observed in the time",
    "Views gained": "how much the counters of all posts, of any age, were seen to grow in the time",
    "Posts": "posts published in the time; an album counts once",
    "Views of these posts": "their newest counters; forwards, replies and reactions likewise",
    "Views a post after 1 h, 24 h": "mean of the counters that posts had at that age; between two "
    "samples they are interpolated",
    "ERR": "mean views of a post ÷ subscribers",
    "ERR after 24 h": "mean views at the age of 24 hours ÷ subscribers",
    "Engagement by views": "(forwards + reactions + replies) ÷ views",
    "known": "the share of what was asked for that was observed",
    "—": "not known; never to be read as zero",
}


def _commands() -> str:
    return "\n".join(f"/{name} – {escape(meaning)}" for name, meaning in COMMANDS.items())


def title_of(channel: Channel) -> str:
    """What a channel is called, for labels: not escaped."""
    return channel.title or (f"@{channel.username}" if channel.username else str(channel.id))


def channels(rows: Sequence[tuple[Channel, Overview]], first: int, total: int, links: Links) -> str:
    """A page of the list: rows `first` + 1 … of `total`. `Overview` is of the last 24 hours."""
    lines = [f"<b>Channels</b> {first + 1}–{first + len(rows)} of {total}"]
    lines += [_row(channel, overview, links) for channel, overview in rows]
    return "\n\n".join(lines)


def _row(channel: Channel, overview: Overview, links: Links) -> str:
    return (
        f"{_linked(channel, links)}\n"
        f"{figure(channel.subscribers)} subscribers · "
        f"{change(overview.views_gained)} views in 24 h\n"
        f"<i>as of {moment(channel.last_sample_at_ms)}{_status(channel)}</i>"
    )


def _linked(channel: Channel, links: Links) -> str:
    name = f' <a href="https://t.me/{channel.username}">@{channel.username}</a>'
    page = links.channel(channel.id, channel.username)
    title = f'<b><a href="{escape(page)}">{escape(title_of(channel))}</a></b>'
    return title + (name if channel.username else "")


def _status(channel: Channel) -> str:
    """Only what the reader should know."""
    quiet = ("live", "recorded", "unknown")
    return "" if channel.status in quiet else f" · {escape(channel.status)}"


def overview(
    channel: Channel, known: Overview, evidence: Evidence, to_ms: int, links: Links
) -> str:
    """The last 24 hours up to `to_ms`."""
    figures = [
        ("Subscribers", figure(channel.subscribers)),
        ("Change of subscribers", change(known.subscribers_change)),
        ("Views gained", change(known.views_gained)),
        ("Posts", figure(known.posts)),
        ("Views of these posts", figure(known.views)),
        ("Views a post, mean", figure(known.views_per_post_mean)),
        ("Views a post, median", figure(known.views_per_post_median)),
        ("Views a post after 1 h", figure(known.reach_1h)),
        ("Views a post after 24 h", figure(known.reach_24h)),
        ("Forwards", figure(known.forwards)),
        ("Replies", figure(known.replies)),
        ("Reactions", figure(known.reactions)),
        ("ERR", percent(known.err_percent)),
        ("ERR after 24 h", percent(known.err24_percent)),
        ("Engagement by views", percent(known.er_by_views_percent)),
    ]
    return (
        f"{_linked(channel, links)}\n<i>24 hours to {moment(to_ms)}</i>\n\n"
        + "\n".join(f"{name}: <b>{value}</b>" for name, value in figures)
        + f"\n\n<i>{_evidence(evidence)}{_status(channel)}</i>\n"
        "/definitions says what each figure means"
    )


def _evidence(evidence: Evidence) -> str:
    if evidence.as_of_ms is None:
        return "Nothing was observed in this time"
    sources = escape(", ".join(evidence.sources)) or UNKNOWN
    known = f"{evidence.coverage * 100:.0f} % known"
    return f"as of {moment(evidence.as_of_ms)} · {known} · from {sources}"


def alert(message: Alert, channel: Channel | None, links: Links) -> str:
    """An alert's message, in each of its states. `channel` None: history could not be asked."""
    name = title_of(channel) if channel else str(message.channel_id)
    page = links.channel(message.channel_id, channel.username if channel else None)
    is_over = message.state == "resolved"
    kind = _ALERTS.get(message.type, message.type.replace("_", " ").capitalize())
    head = f"✅ <b>{escape(kind)} is over</b>" if is_over else f"🔺 <b>{escape(kind)}</b>"
    return (
        f'{head} · <b><a href="{escape(page)}">{escape(name)}</a></b>\n\n'
        f"{_measured(message)}\n{_period(message)}\n"
        f"<i>{escape(message.method)}</i>"
    )


_ALERTS = {"spike": "Views spike"}


def _measured(message: Alert) -> str:
    unit = "views in a minute" if message.type == "spike" else "observed"
    observed = figure(round(message.observed))
    expected = None if message.expected is None else round(message.expected)
    return f"<b>{observed}</b> {unit}; expected {figure(expected)}"


def _period(message: Alert) -> str:
    post = f"Post {message.post_id} · " if message.post_id else ""
    if message.state == "resolved":
        return f"{post}{moment(message.raised_at_ms)} to {moment(message.resolved_at_ms)}"
    return f"{post}since {moment(message.raised_at_ms)}, as of {moment(message.observed_at_ms)}"


def which_channel(command: str) -> str:
    return f"Which channel? <code>/{command} @username</code>, or choose one from /channels."


def no_such_channel(text: str) -> str:
    return f"<code>{escape(text[:64])}</code> is not among the watched channels: see /channels."


def subscribed(channel: Channel, is_new: bool) -> str:
    name = escape(title_of(channel))
    return f"You {'will get' if is_new else 'already get'} the alerts of <b>{name}</b> here."


def unsubscribed(channel: Channel, was_there: bool) -> str:
    name = escape(title_of(channel))
    return f"You {'no longer get' if was_there else 'did not get'} the alerts of <b>{name}</b>."


def subscribed_briefly(channel: Channel, is_on: bool) -> str:
    """Answer to a press of a button: plain text, short."""
    return f"{'Alerts' if is_on else 'No more alerts'} of {title_of(channel)[:100]}"


def private_bot(chat_id: int) -> str:
    return f"This bot is private. Its operator can let in this chat: <code>{chat_id}</code>."
