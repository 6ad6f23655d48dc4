"""Tables, engine and session of the target."""
