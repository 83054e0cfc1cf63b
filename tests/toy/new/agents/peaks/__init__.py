"""The minutes in which a channel gained more than ever before."""
