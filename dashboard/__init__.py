"""This project: settings, URLs and the start of its processes; wiring only."""
