"""Runs decisions: on Faust, over one of the logs, a batch of messages at a time."""
