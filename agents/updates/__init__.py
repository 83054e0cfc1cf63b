"""What a channel does, folded from telegram.updates: windows, ages, newest counters."""
