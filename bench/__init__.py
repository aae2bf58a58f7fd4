"""Benchmarks: ours and the peers' side by side, measured in one run."""
