"""What the Pulumi program declares in an AWS account."""
