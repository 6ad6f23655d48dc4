# The local cloud: its account is the one that moto gives, its origins are the legacy's own defaults.
environment              = "local"
account_id               = "123456789012"
database_max_connections = 100
log_level                = "INFO"
use_s3_cache             = true
cors_origins = [
  "http://localhost:3000",
  "http://localhost:5173",
  "http://127.0.0.1:3000",
  "http://localhost:8000",
]
