"""Alerts on minutes in which a channel gains far more views than usual."""
