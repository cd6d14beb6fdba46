mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { name = "sa-east-1" }
  }
}

variables {
  bucket_name     = "lake"
  image           = "123456789012.dkr.ecr.sa-east-1.amazonaws.com/coco-ingest:0.1.0"
  vpc_id          = "vpc-1"
  subnet_ids      = ["subnet-1", "subnet-2"]
  route_table_ids = ["rtb-1"]
  api_base_url    = "https://erp.example"
  stores          = ["001"]
}

# Nothing is there yet, so ids and ARNs are unknown: how many of each there shall be must not hang on them.
run "everything_can_be_planned_at_once" {
  command = plan

  assert {
    condition     = aws_db_instance.this.iam_database_authentication_enabled && aws_db_instance.this.storage_encrypted
    error_message = "The tasks connect with tokens."
  }

  assert {
    condition     = contains(keys(aws_vpc_endpoint.interface), "sqs")
    error_message = "Tasks reach SQS without a NAT gateway."
  }
}
