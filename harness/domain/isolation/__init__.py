"""Whether concurrent histories of one system could have happened one operation at a time."""
