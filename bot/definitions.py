"""The meaning of the words in the bot's answers, for /definitions. Translate it with bot/texts."""

from collections.abc import Mapping
from typing import Final

#: By the words as an answer shows them. The period is always the last 24 hours.
DEFINITIONS: Final[Mapping[str, str]] = {
    "Subscribers": "the newest observed number",
    "Change of subscribers": "since the newest number of the 24 hours before the period, otherwise "
    "since the first one in it",
    "Views gained": "the observed growth of the view counters of all posts, of any age",
    "Posts": "posts published in the period; an album counts once",
    "Views of these posts": "the sum of their newest counters; forwards, replies and reactions "
    "likewise",
    "Views per post after 1, 12, 24, 48 h": "mean views at that age, of the same posts at each age "
    "shown; interpolated between two samples",
    "ERR": "mean views of a post ÷ subscribers",
    "ERR after 24 h": "mean views of a post at the age of 24 hours ÷ subscribers",
    "Engagement by views": "(forwards + reactions + replies) ÷ views, of the posts that have all "
    "four counters from the same instant",
    "6 of 24 h": "how much of the period was observed; the figure covers that part only",
    "53 of 640 posts": "how many of the posts of the period the figure rests on",
    "Views spike": "a minute in which a channel gains views far faster than in its last minutes "
    "that rest on about as many samples",
    "—": "unknown, not zero",
}
