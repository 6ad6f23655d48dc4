"""The serverless product: imports nothing of the judge."""
