"""A worker with a decision that is new. Run as tests.faults.victim is."""

from agents import app
from tests.agents.counts import COUNTS
from tests.faults import victim

if __name__ == "__main__":
    app.PIPELINE = (*app.PIPELINE, COUNTS)
    victim.main()
