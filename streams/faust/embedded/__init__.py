"""Faust over the embedded log, on the engine that the rest of the process uses."""
