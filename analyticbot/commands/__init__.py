"""The commands: one a file, each with `add_arguments` and `run`."""
