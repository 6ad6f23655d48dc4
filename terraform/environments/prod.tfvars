environment        = "prod"
cors_origins       = ["https://potential-parakeet.pages.dev"]
log_retention_days = 90
log_level          = "WARNING"
