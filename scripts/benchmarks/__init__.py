"""Benchmarks that a person runs: `scripts/bench claims`. Each one starts what it measures."""
