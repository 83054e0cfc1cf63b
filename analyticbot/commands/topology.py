"""`analyticbot topology`: the pipeline as it is wired."""

import argparse

from agents.pipeline import topology
from analyticbot.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


async def run(options: argparse.Namespace, settings: Settings) -> int:
    print(topology())
    return 0
