"""All SQL of the target."""
