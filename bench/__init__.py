"""Benchmarks: a module that has some lists them in `BENCHMARKS`."""
