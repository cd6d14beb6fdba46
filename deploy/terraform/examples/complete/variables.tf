variable "region" {
  description = "Region of everything."
  type        = string
  default     = "sa-east-1"
}

variable "name" {
  description = "What everything is called."
  type        = string
  default     = "coco-ingest"
}

variable "bucket_name" {
  description = "Bucket of the lake; unique in all of AWS."
  type        = string
}

variable "image" {
  description = "Image of the programs in ECR, with the tag of a release."
  type        = string
}

variable "vpc_id" {
  description = "VPC of tasks and database."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in two zones at least."
  type        = list(string)
}

variable "route_table_ids" {
  description = "Route tables of these subnets."
  type        = list(string)
}

variable "api_base_url" {
  description = "Address of the ERP."
  type        = string
}

variable "stores" {
  description = "Stores to pull."
  type        = list(string)
}
