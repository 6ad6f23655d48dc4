"""The function that ranks cached prices while the client waits; it knows no database."""
