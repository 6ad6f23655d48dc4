"""Daily prices from Tiingo and Yahoo: the only place where the target talks to anybody but AWS and its database."""
