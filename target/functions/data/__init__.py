"""The function that serves the state of the cache, and the universes."""
