"""The commands: one a file, each with NAME, HELP, add_arguments and run."""
