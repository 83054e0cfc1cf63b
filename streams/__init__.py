"""What flows: events, topics, codec, sources, the log and its embedded form, metric names.

The lowest layer: imports nothing of the project outside this package.
"""
