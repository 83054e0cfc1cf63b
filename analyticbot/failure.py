"""What a command could not do."""


class Failure(Exception):
    """Ends the process with exit code 1. The message is one line that says what to do."""
