"""What gathers the evidence of each criterion that names a probe: one file a probe."""
