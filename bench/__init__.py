"""Benchmarks: each module exposes `BENCHMARKS`."""
