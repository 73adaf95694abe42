# One machine of Debian 12 that runs Amiss. Nobody reaches it from outside: it is entered, and its
# dashboard seen, through the session manager (see the outputs).

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

data "aws_subnet" "chosen" {
  id = var.subnet_id
}

data "aws_ami" "debian" {
  most_recent = true
  owners      = ["136693071363"] # Debian

  filter {
    name   = "name"
    values = ["debian-12-amd64-*"]
  }
}

resource "aws_security_group" "amiss" {
  name        = var.name
  description = "Amiss: nothing in, everything out"
  vpc_id      = data.aws_subnet.chosen.vpc_id

  egress {
    description = "Sources, sinks, packages"
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

data "aws_iam_policy_document" "machine" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "amiss" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.machine.json
}

resource "aws_iam_role_policy_attachment" "sessions" {
  role       = aws_iam_role.amiss.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "amiss" {
  name = var.name
  role = aws_iam_role.amiss.name
}

resource "aws_instance" "amiss" {
  ami                    = data.aws_ami.debian.id
  instance_type          = var.instance_type
  subnet_id              = var.subnet_id
  vpc_security_group_ids = [aws_security_group.amiss.id]
  iam_instance_profile   = aws_iam_instance_profile.amiss.name

  user_data = templatefile("${path.module}/../setup.sh.tftpl", {
    config  = coalesce(var.config, file("${path.module}/../../../blueprints/this-host.yaml"))
    disk    = "/dev/nvme1n1"
    package = var.package
    service = file("${path.module}/../../systemd/amiss.service")
    extra   = <<-EOT
      dpkg -s amazon-ssm-agent > /dev/null 2>&1 || {
          python3 -c 'import urllib.request as r; r.urlretrieve("https://s3.amazonaws.com/ec2-downloads-windows/SSMAgent/latest/debian_amd64/amazon-ssm-agent.deb", "/tmp/agent.deb")'
          dpkg -i /tmp/agent.deb
      }
    EOT
  })

  metadata_options {
    http_tokens = "required"
  }

  root_block_device {
    encrypted = true
  }

  tags = { Name = var.name }

  lifecycle {
    ignore_changes = [ami]
  }
}

resource "aws_ebs_volume" "data" {
  availability_zone = data.aws_subnet.chosen.availability_zone
  size              = var.disk_gb
  type              = "gp3"
  encrypted         = true
  tags              = { Name = "${var.name}-data" }
}

resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.amiss.id
}
