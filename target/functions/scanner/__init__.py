"""The function that serves scans of the market."""
