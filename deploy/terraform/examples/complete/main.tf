# A whole deployment in a VPC that is there: lake, service, VPC endpoints and a database.
#   terraform init && terraform apply
# docs/deploy.md has what comes before and after.

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = var.name }
  }
}

module "lake" {
  source = "../../lake"

  name        = var.name
  bucket_name = var.bucket_name
  encryption  = "own"
}

module "service" {
  source = "../../service"

  name    = var.name
  image   = var.image
  lake    = module.lake
  network = { vpc_id = var.vpc_id, subnet_ids = var.subnet_ids }

  database = {
    host            = aws_db_instance.this.address
    port            = aws_db_instance.this.port
    name            = aws_db_instance.this.db_name
    user            = "coco"
    migration_user  = "coco_owner"
    auth            = "iam"
    resource_id     = aws_db_instance.this.resource_id
    max_connections = 180 # of a db.t4g.small
  }
  database_security_groups = { rds = aws_security_group.database.id }

  consumer = { min = 1, max = 4 }

  producer = {
    api_base_url = var.api_base_url
    secrets      = { API_TOKEN = aws_secretsmanager_secret.erp_token.arn }
    stores       = var.stores
  }

  alarms = { topic_arns = [aws_sns_topic.alarms.arn] }
}

# `aws secretsmanager put-secret-value` fills it in; Terraform's state never holds the token.
resource "aws_secretsmanager_secret" "erp_token" {
  name = "${var.name}/erp-token"
}

resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
}

resource "aws_iam_policy" "operator" {
  name        = "${var.name}-operator"
  description = "For whoever runs consumer dlq, doctor, status, reconcile and verify"
  policy      = module.lake.policies["operator"]
}
