"""A worker with decisions on several topics and under keys of their own, one of them with timers.

Run as tests.faults.victim is.
"""

from agents import app
from tests.agents.fading import FADING
from tests.agents.proofs_left import PROOFS
from tests.faults import victim

KEYED = (*PROOFS, FADING)

if __name__ == "__main__":
    app.PIPELINE = (*app.PIPELINE, *KEYED)
    victim.main()
