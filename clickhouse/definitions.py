"""The meaning and basis of each figure, in one or two sentences: for OpenAPI and people.

docs/GLOSSARY.md defines the words. An unknown figure is null, and its coverage is 0.
"""

from collections.abc import Mapping
from typing import Final

_GAINS = "Coverage: the share of the time that lies between two samplings. n: posts measured"
_POSTS = "Coverage: the share of the posts of the range of which it is known. n: those posts"
_REACH = (
    "Mean views of a post at that age, of each post the highest up to it. All ages shown rest on "
    "the same posts: those known at every age shown. Of 1, 12, 24 and 48 h those ages are shown "
    "for which their number times that of these posts is greatest (of equals more ages, then "
    f"older ones); the others are null. {_POSTS}"
)
_STEP_GAIN = (
    "What was booked in the step, in the minute of the later of two samples; null where nothing "
    "was measured. Where `coverage` is 0, it was gained since a sampling before the step, and "
    "nobody knows which part of it in the step"
)

#: By field of the overview.
OVERVIEW: Final[Mapping[str, str]] = {
    "subscribers": "The newest number observed before the end of the range. Coverage: 1 where it "
    "was observed in the range, 0 where it is older",
    "subscribers_change": "The newest number in the range minus the one at its beginning: the "
    "newest of the 24 hours before, else the first in the range. Coverage: the share of the range "
    "between the two",
    "posts": "Posts published in the range, albums once, deleted ones left out; null where no part "
    "of the range was read. Coverage: the share of the range of which all posts were read",
    "views": f"The newest view counters of the posts of the range, added up. {_POSTS}",
    "views_gained": f"Increments of view counters observed in the range, of any post. {_GAINS}",
    "forwards": f"The newest counters of forwards of the posts of the range, added up. {_POSTS}",
    "replies": f"The newest counters of comments of the posts of the range, added up. {_POSTS}",
    "reactions": f"The newest counters of reactions of the posts of the range, added up. {_POSTS}",
    "views_per_post_mean": f"Mean of the newest view counters of the posts of the range. {_POSTS}",
    "views_per_post_median": f"Median of those view counters. {_POSTS}",
    "err_percent": f"Mean views of a post / subscribers * 100. {_POSTS}",
    "err24_percent": "Mean views at the age of 24 h, of all posts of the range known at that age, "
    f"/ subscribers * 100. {_POSTS}",
    "er_by_views_percent": "(forwards + replies + reactions) / views * 100, of the posts of which "
    f"one sample tells all four, each from its newest such sample. {_POSTS}",
    "posts_per_day": "Posts of the range / days of it that were read; null below one hour of them. "
    "Coverage and n: as of `posts`",
    "reach_1h": _REACH,
    "reach_12h": _REACH,
    "reach_24h": _REACH,
    "reach_48h": _REACH,
}

#: By schema of the REST interface, then by field.
FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "Overview": OVERVIEW,
    "ViewsPoint": {
        "views_gained": _STEP_GAIN,
        "forwards_gained": _STEP_GAIN,
        "replies_gained": _STEP_GAIN,
        "reactions_gained": _STEP_GAIN,
        "posts": "Posts published in the step; null where no part of it was read",
        "coverage": "Share of the step that lies between two samplings, 0 to 1: what its gains "
        "rest on. Of the time between two samplings more than 10 min apart nothing counts where an "
        "edge of the step lies between them, so a step with gains may have coverage 0. A step "
        "that runs still is covered up to the newest sampling",
    },
    "GrowthPoint": {
        "subscribers": "The newest number observed in the step",
        "change": "Since the newest number before the step, if that is not older than the step is "
        "long (or than 24 h, where that is longer), else since the first in the step; null with "
        "one number only",
        "coverage": "Share of the step that `change` spans, 0 to 1",
    },
    "Post": {
        "er_by_views_percent": "(forwards + replies + reactions) / views * 100, from the newest "
        "sample that tells all four; null without one",
        "velocity_per_h": "Views gained an hour between the two newest samples; null with fewer",
    },
    "Alert": {
        "post_id": "The post that gained most; null where none stands out",
        "url": "The post's address; null where it is unknown",
        "text": "The first words of the post; null where they are unknown",
        "method": "By which rule `observed` was compared with `expected`",
    },
    "Meta": {
        "as_of": "When the newest observation used was made; null with none",
        "coverage": "The lowest coverage of the figures in `evidence` that are known (not null); "
        "0 where none is",
        "sources": "telegram, recording, import: who observed it",
        "evidence": "What each figure, or each series, of `data` rests on",
        "cursor": "Lists only: gives the next page; null at the end",
    },
    "Figure": {
        "coverage": "The share of the asked time, or of the posts, that was observed: 0 to 1",
        "n": "How many samples or posts it rests on",
        "as_of": "When the newest observation used was made; null with none",
    },
}
