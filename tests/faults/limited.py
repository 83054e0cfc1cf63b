"""A worker whose files may be limited, where a small disk cannot be had.

Run as tests.faults.victim is.
"""

from tests.faults import victim
from tests.faults.disk import obey_limit

if __name__ == "__main__":
    obey_limit()
    victim.main()
