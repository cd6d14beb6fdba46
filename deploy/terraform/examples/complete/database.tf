resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "PostgreSQL of ${var.name}; the module service lets its tasks in"
  vpc_id      = var.vpc_id
}

resource "aws_db_instance" "this" {
  identifier                          = var.name
  engine                              = "postgres"
  engine_version                      = "17"
  instance_class                      = "db.t4g.small"
  allocated_storage                   = 50
  max_allocated_storage               = 500
  storage_type                        = "gp3"
  storage_encrypted                   = true
  db_name                             = "coco"
  username                            = "administrator"
  manage_master_user_password         = true
  iam_database_authentication_enabled = true
  db_subnet_group_name                = aws_db_subnet_group.this.name
  vpc_security_group_ids              = [aws_security_group.database.id]
  backup_retention_period             = 14
  deletion_protection                 = true
  copy_tags_to_snapshot               = true
  final_snapshot_identifier           = "${var.name}-final"
  auto_minor_version_upgrade          = true
}
