environment  = "dev"
cors_origins = ["https://potential-parakeet-dev.pages.dev"]
