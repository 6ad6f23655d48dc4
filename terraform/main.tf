# The whole AWS side of the target. The local cloud is stood up from these same files (harness/staging/definition.py),
# so names and ARNs that it needs are built from locals here, never read back from the provider.

terraform {
  required_version = ">= 1.7.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100.0"
    }
  }
}

provider "aws" {
  region              = var.aws_region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = local.tags
  }
}

locals {
  project = "potential-parakeet"
  prefix  = "${local.project}-${var.environment}"

  is_production = var.environment == "prod"

  tags = {
    Project     = local.project
    Environment = var.environment
    ManagedBy   = "terraform"
  }
}
