environment        = "staging"
cors_origins       = ["https://potential-parakeet-staging.pages.dev"]
log_retention_days = 30
