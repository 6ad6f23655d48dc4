"""Edges to the outside: HTTP, databases, objects, the run directory."""
