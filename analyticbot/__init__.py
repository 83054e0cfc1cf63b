"""The process: command line, configuration (the only reader of the environment), wiring, logs."""

__version__ = "0.1.0"
