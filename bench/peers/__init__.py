"""Ours beside the engines one would pick instead: `python -m bench.peers [--rounds N]`.

One job for all: count, sum and maximum of the views gained by every channel in every minute of
event time. The same bytes in the same topics of one real Kafka broker on this machine, 8
partitions, a channel always in the same one (100,000 events a minute; the n-th channel has 1/n of
the first's). One engine at a time, in a process of its own, started anew for every run; rounds
alternate, medians are told. The clock runs from the first message in the engine's hands until
the last result is durable: changelog with the broker, offsets or snapshot committed. `start` is
what came before, and is not in it. `broker` is the broker's processor time meanwhile, in
percent of a core; engine and broker share this machine's two. What each engine found at the end is
compared with the truth, row by row; where a row is wrong no speed is told. `make bench ARGS=peers`
installs the peers into an environment of their own, runs this and keeps the result.

What is unfair, and to whom. Frames of 500 increments are how we pack what Telegram says at once:
home for us, and good for all, because Kafka and the engine's loop are paid once a frame; Faust's
documented way gains by it, Quix Streams is keyed anew in place, which its documentation has no way
for (`group_by` would send each event through another topic). A message an event is home for Faust
and Quix Streams, and unfair to us. Faust, Quix Streams and bytewax run as installed, with their
own intervals: commits every 2.8 s, 5 s and 10 s, and once at the end; ours commits more often,
which costs us. Faust and Quix Streams count at least once: a crash counts some events twice.
bytewax' snapshots lie on this machine's disk alone, what the others keep is with the broker as
well: Faust writes a changed row to its changelog at every event, Quix Streams once a commit. Ours
folds a frame as a whole, into rows of a quarter of a partition's channels, because its agents are
given messages; operators of bytewax and Quix Streams are given an event at a time. bytewax and
Quix Streams hand closed windows to a list in memory, Faust none, ours to a topic, durably. bytewax
is kept from sorting events by time, and its clock from running on with the machine's, to its
favour. Engines are given as many events as they fold in seconds; the shorter topic is the
beginning of the longer one. The raw loop keeps nothing and the dictionary dies with its process:
they are the limit, not a choice.
"""

from bench.peers.table import tables

__all__ = ["tables"]
