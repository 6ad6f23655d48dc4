"""Pure functions of cached prices: numpy in, numbers out; no clock, no network, no randomness. See docs/formulas.md."""
