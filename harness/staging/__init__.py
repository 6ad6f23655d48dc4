"""The local cloud: real PostgreSQL, real Lambda runtime client, moto, made from `terraform/`."""
