"""Puts one security-group audit, configured by the stack, into an AWS account."""

import pulumi

from infra.component import SecurityGroupAudit
from infra.config import StackConfig

audit = SecurityGroupAudit("security-group-audit", StackConfig.load())

pulumi.export("functionName", audit.function_name)
pulumi.export("functionArn", audit.function_arn)
pulumi.export("roleArn", audit.role_arn)
pulumi.export("logGroupName", audit.log_group_name)
pulumi.export("ledgerBucket", audit.ledger_bucket)
pulumi.export("scheduleRule", audit.schedule_rule)
pulumi.export("changeRule", audit.change_rule)
pulumi.export("senderIdentity", audit.sender_identity)
