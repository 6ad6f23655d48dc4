"""Rules that are more than a query."""
