"""Build the recording of the demo out of a larger one: its counters and times, texts of our own.

    python tools/demo_recording.py SOURCE_FOLDER [TARGET_FOLDER]

Takes the posts with counters of ten channels and all samples of their views. Numbers, dates, ids
and the kind of media are kept; every text and title is written here. The same source gives the
same files.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import zstandard

from streams.events import Post
from streams.ids import ChannelId
from streams.recording import RecordedPost, Recording

TARGET = Path(__file__).parents[1] / "loopback" / "recording"

#: Username, title. The ids are ours: in Telegram's range, in this order from FIRST_ID on.
CHANNELS = (
    ("rbc_news", "Business news desk"),
    ("aviadispet4er", "Aviation notes"),
    ("kommersant", "Business daily"),
    ("d_code", "Technology notes"),
    ("ENews112", "Incident desk"),
    ("rian_ru", "News agency"),
    ("mosrutop", "City news"),
    ("headlines_for_traders", "Market headlines"),
    ("tass_agency", "Wire agency"),
    ("hykilp", "Personal channel"),
)
FIRST_ID = 1_900_000_001

OPENINGS = (
    "Morning briefing",
    "Evening summary",
    "Reader's question",
    "Number of the day",
    "From the archive",
    "Notes from the desk",
    "A short correction of nothing",
    "Weather at the window",
    "Coffee break",
    "Calendar entry",
    "Bookmark",
    "Test card",
    "Postcard",
)
CLOSINGS = (
    "",
    ": three lines and a map.",
    ": nothing happened, and it took all day.",
    ": the kettle is on.",
    ": see also the one before it.",
    ": a placeholder with a good memory for numbers.",
    ": this text was written for the demo; its counters were not.",
    ": first the small print, then the smaller print. The rest follows tomorrow at the same time.",
    ": an even number of paragraphs, of which this is the only one.",
    ": written for nobody in particular and read by the number of people shown below.",
    ": to be continued.",
)
MEDIA_OPENINGS = {"photo": "Picture", "video": "Clip", "document": "Attachment"}


def text_of(post: Post) -> str:
    """Invented, neutral, and the same for the same post."""
    number = post.post_id
    opening = MEDIA_OPENINGS.get(post.media or "", OPENINGS[number * 7 % len(OPENINGS)])
    return f"{opening} no. {number}{CLOSINGS[number * 5 % len(CLOSINGS)]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path, nargs="?", default=TARGET)
    options = parser.parse_args()
    build(Recording(options.source), options.target)


def build(source: Recording, target: Path) -> None:
    names = {channel.channel_id: channel.username for channel in source.channels()}
    ours = {name: ChannelId(FIRST_ID + index) for index, (name, _) in enumerate(CHANNELS)}
    posts = sorted(
        (ours[name], row.post.post_id, name, row)
        for row in source.posts()
        if row.sampled_at_ms is not None and (name := names[row.channel_id]) in ours
    )
    samples = sorted(
        (sample.sampled_at_ms, ours[name], sample.post_id, name, sample.views)
        for sample in source.view_samples()
        if (name := names[sample.channel_id]) in ours
    )
    target.mkdir(parents=True, exist_ok=True)
    write(target / "channels.jsonl", channel_rows(ours))
    write(target / "posts.jsonl.zst", (post_row(name, row) for _, _, name, row in posts))
    write(
        target / "view_samples.jsonl.zst",
        (
            {"channel": name, "message_id": post_id, "sampled_at": iso(at_ms), "views": views}
            for at_ms, _, post_id, name, views in samples
        ),
    )
    sys.stdout.write(f"{target}: {len(posts)} posts, {len(samples)} view samples\n")


def channel_rows(ours: dict[str, ChannelId]) -> Iterator[dict[str, object]]:
    for name, title in CHANNELS:
        yield {"channel": name, "channel_id": ours[name], "username": name, "title": title}


def post_row(name: str, row: RecordedPost) -> dict[str, object]:
    post = row.post
    fields = {
        "channel": name,
        "message_id": post.post_id,
        "date": iso(post.date_ms),
        "edit_date": None if post.edit_date_ms is None else iso(post.edit_date_ms),
        "text": text_of(post),
        "media": post.media,
        "views": post.views,
        "forwards": post.forwards,
        "replies": post.replies,
        "sampled_at": None if row.sampled_at_ms is None else iso(row.sampled_at_ms),
    }
    return {key: value for key, value in fields.items() if value is not None}


def iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(path: Path, rows: Iterable[dict[str, object]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    data = "".join(lines).encode()
    path.write_bytes(zstandard.compress(data, 12) if path.suffix == ".zst" else data)


if __name__ == "__main__":
    main()
