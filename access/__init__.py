"""Who comes in, by which door, and what is written down of it."""
