"""Posts of one made-up channel, growing: what a forecast of their views is tried on."""

import math
from collections import deque
from collections.abc import Iterator
from statistics import median

import numpy as np

from tests.laws.model import Example


def growing(seed: int, level: float = 400.0, posts: int = 600) -> Iterator[Example]:
    """Views now and before, the level of the posts before, and the views that the post came to.

    A post's share of its final views at an age varies from post to post, more when it is young; the
    channel's level drifts; counts are Poisson's.
    """
    chance = np.random.default_rng(seed)
    power = math.log(level)
    finals: deque[float] = deque(maxlen=12)
    for _ in range(posts):
        power += chance.normal(0, 0.03)
        final = float(chance.poisson(math.exp(power + chance.normal(0, 0.35)))) + 1
        speed = chance.normal(0, 0.3)
        now = min(final, float(chance.poisson(final * math.exp(-1.0 + speed))))
        before = min(now, float(chance.poisson(final * math.exp(-1.5 + 1.5 * speed))))
        known = {"level": median(finals)} if finals else {}
        yield {"now": now, "before": before, **known}, final
        finals.append(final)
