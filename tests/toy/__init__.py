"""A toy decision, from the event to the panel, as a contributor would add it."""
