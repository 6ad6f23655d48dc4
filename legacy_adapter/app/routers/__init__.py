"""HTTP routes, one module a prefix."""
