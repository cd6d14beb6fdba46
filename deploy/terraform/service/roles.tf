locals {
  roles = toset(keys(local.containers))

  # The migration speaks to the database only.
  policies         = { for role in local.roles : role => var.lake.policies[role] if role != "migrate" }
  encryption_roles = var.lake.is_encrypted ? setsubtract(local.roles, ["migrate"]) : toset([])

  database_users = var.database.auth == "iam" ? {
    consumer = var.database.user
    migrate  = var.database.migration_user
  } : {}

  secret_arns = distinct(flatten([for named in values(local.secrets) : values(named)]))
  # An ARN may end with a key of the secret's JSON, and a version: arn:…:secret:name:key::
  whole_secret_arns = distinct([for arn in local.secret_arns : join(":", slice(split(":", arn), 0, 7))])

  assume_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
}

# What ECS itself needs to start a task: image, logs, secrets.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = local.assume_policy
  tags               = var.tags
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "secrets" {
  # By the names, which are known when planning; the ARNs need not be.
  count = length(flatten([for named in values(local.secrets) : keys(named)])) > 0 ? 1 : 0

  name = "secrets"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.whole_secret_arns
      }], length(var.database.secrets_kms_key_arns) == 0 ? [] : [{
      Sid      = "DecryptThem"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = var.database.secrets_kms_key_arns
    }])
  })
}

resource "aws_iam_role" "task" {
  for_each = local.roles

  name               = "${var.name}-${each.key}"
  assume_role_policy = local.assume_policy
  tags               = var.tags
}

resource "aws_iam_role_policy" "task" {
  for_each = local.policies

  name   = each.key
  role   = aws_iam_role.task[each.key].id
  policy = each.value
}

resource "aws_iam_role_policy" "encryption" {
  for_each = local.encryption_roles

  name   = "encryption"
  role   = aws_iam_role.task[each.key].id
  policy = var.lake.encryption_policy
}

resource "aws_iam_role_policy" "database" {
  for_each = local.database_users

  name = "database"
  role = aws_iam_role.task[each.key].id

  policy = templatefile("${local.policy_folder}/database.json.tftpl", {
    user_arn = "arn:${local.partition}:rds-db:${local.region}:${local.account}:dbuser:${var.database.resource_id}/${each.value}"
  })
}

resource "aws_iam_role_policy" "protection" {
  name = "protection"
  role = aws_iam_role.task["consumer"].id

  policy = templatefile("${local.policy_folder}/protection.json.tftpl", {
    tasks_arn = "arn:${local.partition}:ecs:${local.region}:${local.account}:task/${var.name}/*"
  })
}
