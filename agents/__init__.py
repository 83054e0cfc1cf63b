"""Decisions: the pipeline as one list, one agent a file, steps that are pure."""
