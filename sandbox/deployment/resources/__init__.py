"""The table of resource types that the sandbox can create."""

from typing import Final

from sandbox.deployment.resources.alarms import MetricAlarm
from sandbox.deployment.resources.base import Resource
from sandbox.deployment.resources.events import EventRule, EventTarget
from sandbox.deployment.resources.functions import Function, FunctionEventInvokeConfig, Permission
from sandbox.deployment.resources.iam import Role, RolePolicy
from sandbox.deployment.resources.logs import LogGroup, LogMetricFilter
from sandbox.deployment.resources.s3 import (
    Bucket,
    BucketLifecycleConfiguration,
    BucketOwnershipControls,
    BucketPolicy,
    BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration,
    BucketVersioning,
)
from sandbox.deployment.resources.ses import EmailIdentity
from sandbox.deployment.resources.sns import Topic, TopicPolicy, TopicSubscription
from sandbox.deployment.resources.stack_sets import StackInstances, StackSet
from sandbox.deployment.resources.state_machines import StateMachine

RESOURCES: Final[dict[str, Resource]] = {
    kind.type_name: kind
    for kind in (
        Bucket(),
        BucketLifecycleConfiguration(),
        BucketOwnershipControls(),
        BucketPolicy(),
        BucketPublicAccessBlock(),
        BucketServerSideEncryptionConfiguration(),
        BucketVersioning(),
        EmailIdentity(),
        EventRule(),
        EventTarget(),
        Function(),
        FunctionEventInvokeConfig(),
        LogGroup(),
        LogMetricFilter(),
        MetricAlarm(),
        Permission(),
        Role(),
        RolePolicy(),
        StackInstances(),
        StackSet(),
        StateMachine(),
        Topic(),
        TopicPolicy(),
        TopicSubscription(),
    )
}
