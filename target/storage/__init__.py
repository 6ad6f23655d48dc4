"""Objects and the price cache that lies in them: an S3 bucket, or a directory where USE_S3_CACHE is off."""
