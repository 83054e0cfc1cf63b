"""A worker with decisions on several topics and under keys of their own, beside the pipeline's.

Run as tests.faults.victim is.
"""

from agents import app
from tests.agents.proofs_left import PROOFS
from tests.faults import victim

if __name__ == "__main__":
    app.PIPELINE = (*app.PIPELINE, *PROOFS)
    victim.main()
