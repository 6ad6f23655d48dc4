"""The function that computes rankings and judgements while the client waits."""
