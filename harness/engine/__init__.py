"""Asynchronous shell that gathers evidence: replay, load, measuring, the pipeline."""
