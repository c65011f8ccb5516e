"""The bucket in which the function remembers: what it has reported, and the reports themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra import permissions

OLD_VERSIONS_DAYS = 30
ABANDONED_UPLOADS_DAYS = 7


@dataclass(frozen=True, slots=True)
class Ledger:
    """The bucket, and the resources that make it private: nothing is written before they stand."""

    bucket: aws.s3.Bucket
    protection: Sequence[pulumi.Resource]


def ledger(
    name: str, *, delete_reports: bool, report_retention_days: int, opts: pulumi.ResourceOptions
) -> Ledger:
    """A private, encrypted, versioned bucket; ``delete_reports``: destroy takes its content too."""
    bucket = aws.s3.Bucket(name, force_destroy=delete_reports, opts=opts)
    # What protects the bucket goes with it. Deleted on its own it would go first, and a bucket
    # that is kept because it holds reports would lie there unprotected.
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(deleted_with=bucket))
    block = aws.s3.BucketPublicAccessBlock(
        f"{name}-private",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    owner = aws.s3.BucketOwnershipControls(
        f"{name}-owner",
        bucket=bucket.bucket,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=opts,
    )
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        rules=[
            aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=(
                    aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="AES256"
                    )
                )
            )
        ],
        opts=opts,
    )
    versioning = aws.s3.BucketVersioning(
        f"{name}-versions",
        bucket=bucket.bucket,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
            status="Enabled"
        ),
        opts=opts,
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        rules=_lifecycle(report_retention_days),
        # S3 wants to know of versions before it is told what to do with old ones.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[versioning])),
    )
    policy = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=pulumi.Output.json_dumps(bucket.arn.apply(permissions.bucket_policy)),
        # S3 refuses one of two changes to what a bucket lets in that come at the same time.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[block])),
    )
    return Ledger(bucket, (block, owner, encryption, versioning, policy))


def _lifecycle(report_retention_days: int) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    return [
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="old-versions",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            noncurrent_version_expiration=(
                aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=OLD_VERSIONS_DAYS
                )
            ),
            abort_incomplete_multipart_upload=(
                aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=ABANDONED_UPLOADS_DAYS
                )
            ),
        ),
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="reports",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="reports/"),
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                days=report_retention_days
            ),
        ),
    ]
