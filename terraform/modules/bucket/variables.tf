variable "name" {
  description = "Full name of the bucket, unique in all of S3."
  type        = string
}

variable "is_versioned" {
  description = "Whether old versions of objects are kept."
  type        = bool
}

variable "cors_origins" {
  description = "Origins whose pages may read objects; none means no CORS rule."
  type        = list(string)
}

variable "force_destroy" {
  description = "Whether destroying the bucket may destroy its objects."
  type        = bool
}
