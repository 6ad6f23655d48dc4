"""What the product knows without being told: the universes and their tickers. Imports the standard library alone."""
