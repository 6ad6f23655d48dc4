output "name" {
  description = "Full name of the bucket."
  value       = aws_s3_bucket.this.bucket
}

output "arn" {
  description = "ARN of the bucket, from its name."
  value       = "arn:aws:s3:::${var.name}"
}

output "versioning" {
  description = "Whether old versions are kept, in S3's words."
  value       = aws_s3_bucket_versioning.this.versioning_configuration[0].status
}
