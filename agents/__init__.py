"""Decisions: the pipeline as one list, one folder per decision, pure steps."""
