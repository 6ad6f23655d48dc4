"""Planted defects: what a migration gets wrong, put into recorded answers and rows to see whether it is found."""
