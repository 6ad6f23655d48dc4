locals {
  cache_prefix = "cache/"

  buckets = {
    cache = {
      name         = "${local.project}-cache-${var.environment}"
      cors_origins = var.cors_origins
    }
    artifacts = {
      name         = "${local.project}-lambda-artifacts-${var.environment}"
      cors_origins = []
    }
  }
}

module "bucket" {
  source   = "./modules/bucket"
  for_each = local.buckets

  name          = each.value.name
  cors_origins  = each.value.cors_origins
  is_versioned  = local.is_production
  force_destroy = !local.is_production
}
