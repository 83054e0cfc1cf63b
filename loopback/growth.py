"""A MODEL of how a counter grows between a post's publication and its first recorded value.

Most recorded posts have a single value per counter. Its growth up to that value was not recorded;
this model is a plausible, saturating curve:

    value(age) = first · S(age) / S(age of first),   S(age) = 1 − exp(−(age / τ)^β)

with τ = 6 h and β = 0.7: half of the views of the first day in about three hours, a long tail.
The curve is exact at age 0 (nothing) and at the recorded instant (the recorded value), has whole
values and never falls. It does not model the time after the recorded instant, and none of its
values is a measurement.
"""

import math

TAU_MS = 6 * 3_600_000
BETA = 0.7


def modelled(first: int, age_of_first_ms: int, age_ms: int) -> int:
    """The modelled counter at `age_ms`, for a counter first recorded as `first`."""
    if age_ms <= 0:
        return 0 if age_of_first_ms > 0 else first
    if age_ms >= age_of_first_ms:
        return first
    return min(first, int(first * (_saturation(age_ms) / _saturation(age_of_first_ms))))


def _saturation(age_ms: int) -> float:
    return -math.expm1(-((age_ms / TAU_MS) ** BETA))
