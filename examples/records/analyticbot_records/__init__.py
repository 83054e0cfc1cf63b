"""The best minute that a channel ever had."""
