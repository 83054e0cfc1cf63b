"""Suites of laws: one a port, run on every implementation."""
