"""Pure rules of the judge: no I/O and no clock."""
