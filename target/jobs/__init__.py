"""Background work: jobs that are committed to the database, sent through a queue and run by a worker."""
