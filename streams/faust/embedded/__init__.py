"""Faust over the embedded log: both work on the same engine."""
