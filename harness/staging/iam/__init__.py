"""Judges each AWS call of a function by the policies of its own role, as IAM would, before moto sees it."""
