# Put your own account: until then every plan is refused, whatever the credentials.
environment        = "prod"
account_id         = "000000000000"
cors_origins       = ["https://potential-parakeet.pages.dev"]
log_retention_days = 90
log_level          = "WARNING"
monthly_budget_usd = 45
