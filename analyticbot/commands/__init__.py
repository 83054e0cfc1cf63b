"""The commands: one per file, each with `add_arguments` and `run`."""
