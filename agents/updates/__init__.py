"""A channel's activity, folded from telegram.updates: windows, ages, newest counters."""
