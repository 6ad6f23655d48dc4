"""Starts, snapshots and reads the legacy system; `app/` is the reference application, a separate program."""
