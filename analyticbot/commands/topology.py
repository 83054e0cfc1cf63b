"""`analyticbot topology`: the pipeline as it is wired."""

import argparse

from agents.pipeline import topology
from analyticbot.config import Settings
from analyticbot.installed import decisions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds no arguments."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    known = decisions(settings.without)
    origins = {one.decision.name: str(one) for one in known.installed}
    print(topology(known.plan, origins))
    if known.without:
        print(f"\nleft out: {', '.join(known.without)}")
    return 0
