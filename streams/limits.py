"""The limits of values in observations, for sources and agents alike."""

from typing import Annotated

from msgspec import Meta

from streams.ids import PostId

#: How far the clocks of Telegram, of the observer and of this process may lie apart.
SKEW_MS = 300_000
#: 2013, the year of Telegram's first release: no channel and no post is older.
FIRST_MS = 1_356_998_400_000
#: The year 2100: a later time is not in milliseconds.
LAST_MS = 4_102_444_800_000
#: The highest integer that JSON carries exactly.
HIGHEST_COUNTER = 2**53 - 1
#: The highest post id: Telegram's have 32 bits.
HIGHEST_POST_ID = 2**31 - 1

#: A counter, and the id of a post, as events declare them: msgspec checks the limits as it decodes.
Count = Annotated[int, Meta(ge=0, le=HIGHEST_COUNTER)]
AnyPostId = Annotated[PostId, Meta(gt=0, le=HIGHEST_COUNTER)]
