"""GET /about: which program this is, and what its numbers are."""

from litestar import get

from api.ports import Wired
from api.responses import About, Answer, Meta
from api.times import iso


@get("/about", tags=["about"])
async def about(ports: Wired) -> Answer[About]:
    """Which program this is, what time it is in it, and what its numbers are."""
    settings, now = ports.settings, iso(ports.clock.now_ms())
    data = About(
        name=settings.name,
        version=settings.version,
        mode=settings.mode,
        now=now,
        speed=ports.clock.speed,
        measured=settings.measured,
        modelled=settings.modelled,
        credits=list(settings.credits),
    )
    return Answer(data, Meta(as_of=now, from_=None, to=None, coverage=0.0, evidence={}, sources=[]))
