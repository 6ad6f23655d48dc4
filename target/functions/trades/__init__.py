"""The function that serves trades, the root and everything unmatched."""
