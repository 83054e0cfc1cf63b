"""How long tests wait. No test fails because a machine is slow, or busy with something else."""

#: For what happens elsewhere: only what never happens is waited for so long.
PATIENCE_S = 120.0
#: A promise of so many seconds may take as many times longer on a machine that is busy.
BUSY = 10
