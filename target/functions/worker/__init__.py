"""The function that runs backtests, scans and refreshes from the queue of jobs."""
