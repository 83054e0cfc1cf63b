"""How large the pipeline of the fault tests is."""

#: Of every topic: as many tasks.
PARTITIONS = 4
