"""The S3 bucket of the ledger: what is known of each account, and the report of each run."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra import permissions
from infra.config import StackConfig

# Long enough to restore an old version of head.json after a change by hand has damaged it.
OLD_VERSIONS_DAYS = 30
# The function writes an object anew before it is 200 days old, so that no version of head.json
# within OLD_VERSIONS_DAYS points to one that has expired.
KNOWN_DAYS = 400
ABANDONED_UPLOADS_DAYS = 7
# A run reads its plan and its scans within hours; people may look into a failed run later.
RUN_DAYS = 30


@dataclass(frozen=True, slots=True)
class LedgerBucket:
    """The bucket, and the resources that must exist before anything is written to it."""

    bucket: aws.s3.Bucket
    protections: Sequence[pulumi.Resource]


def declare_ledger_bucket(
    name: str, config: StackConfig, opts: pulumi.ResourceOptions
) -> LedgerBucket:
    """A private, encrypted and versioned bucket, whose reports expire as the stack's config says.

    ``pulumi destroy`` fails while it holds objects, unless ``config.delete_reports`` is set.
    """
    expirations = {"reports": config.report_retention_days, "known": KNOWN_DAYS}
    if config.organization:
        expirations |= {"plans": RUN_DAYS, "scans": RUN_DAYS}
    bucket = aws.s3.Bucket(name, force_destroy=config.delete_reports, opts=opts)
    # These are deleted together with the bucket. Deleted on their own they would go first, and a
    # bucket that stays because it holds reports would be left unprotected.
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(deleted_with=bucket))
    public_access_block = aws.s3.BucketPublicAccessBlock(
        f"{name}-private",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    ownership = aws.s3.BucketOwnershipControls(
        f"{name}-owner",
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=opts,
    )
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"},
                # S3's own default for new buckets. If it is not stated, providers before
                # Terraform's 6.40 see a difference in every plan:
                # https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-s3-c-encryption-setting-faq.html
                "blocked_encryption_types": ["SSE-C"],
            }
        ],
        opts=opts,
    )
    versioning = aws.s3.BucketVersioning(
        f"{name}-versions",
        bucket=bucket.bucket,
        versioning_configuration={"status": "Enabled"},
        opts=opts,
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        rules=[
            {
                "id": "old-versions",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": OLD_VERSIONS_DAYS},
                "abort_incomplete_multipart_upload": {
                    "days_after_initiation": ABANDONED_UPLOADS_DAYS
                },
            },
            *(_expiration(prefix, days) for prefix, days in expirations.items()),
        ],
        # Versioning must be enabled before a rule for noncurrent versions is created.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[versioning])),
    )
    policy = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=pulumi.Output.json_dumps(bucket.arn.apply(permissions.bucket_policy)),
        # S3 rejects one of two simultaneous changes to a bucket's policy and public access block.
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(depends_on=[public_access_block])
        ),
    )
    return LedgerBucket(bucket, (public_access_block, ownership, encryption, versioning, policy))


def _expiration(prefix: str, days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """The rule that deletes objects with the prefix after so many days."""
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=prefix,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=f"{prefix}/"),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
    )
