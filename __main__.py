"""Puts one security-group audit, configured by the stack, into an AWS account."""

import pulumi

from infra.component import SecurityGroupAudit
from infra.config import StackConfig

audit = SecurityGroupAudit("security-group-audit", StackConfig.load())
for name, value in audit.outputs.items():
    pulumi.export(name, value)
