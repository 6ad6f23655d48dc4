# Put your own account: until then every plan is refused, whatever the credentials.
environment        = "staging"
account_id         = "000000000000"
cors_origins       = ["https://potential-parakeet-staging.pages.dev"]
log_retention_days = 30
