"""A small ASGI application to plant faults in; no framework, no database."""
