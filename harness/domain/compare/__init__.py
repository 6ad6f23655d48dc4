"""Compares what the two sides answered and stored, and says what became of each exchange."""
