"""One folder a deployed function."""
