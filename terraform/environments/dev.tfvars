# Put your own account: until then every plan is refused, whatever the credentials.
environment  = "dev"
account_id   = "000000000000"
cors_origins = ["https://potential-parakeet-dev.pages.dev"]
