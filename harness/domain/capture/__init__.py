"""Traffic that is recorded while it passes: what is forwarded, whose it is, which answers it builds on."""
