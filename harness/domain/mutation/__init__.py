"""Small deliberate faults in source text: what a set of sessions must notice."""
