"""The ledger's bucket and its protection."""

from tests.infra.conftest import Deploy
from tests.infra.resource_types import (
    BUCKET,
    ENCRYPTION,
    LIFECYCLE,
    NAME,
    OWNERSHIP,
    PUBLIC_ACCESS,
    VERSIONING,
)


def test_bucket_is_private_encrypted_and_versioned(deploy: Deploy) -> None:
    """The bucket blocks public access, ACLs and SSE-C, encrypts with AES256, keeps versions."""
    deployment = deploy()
    assert deployment.one(BUCKET) == {"forceDestroy": True}
    bucket = {"bucket": f"{NAME}-ledger"}
    assert deployment.one(PUBLIC_ACCESS) == bucket | {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert deployment.one(OWNERSHIP) == bucket | {
        "rule": {"objectOwnership": "BucketOwnerEnforced"}
    }
    assert deployment.one(VERSIONING) == bucket | {"versioningConfiguration": {"status": "Enabled"}}
    assert deployment.one(ENCRYPTION) == bucket | {
        "rules": [
            {
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"},
                "blockedEncryptionTypes": ["SSE-C"],
            }
        ]
    }


def test_old_objects_expire(deploy: Deploy) -> None:
    """Reports expire as configured, known/ after 400 days, old versions of any object after 30."""
    assert deploy(reportRetentionDays=90).one(LIFECYCLE)["rules"] == [
        {
            "id": "old-versions",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrentVersionExpiration": {"noncurrentDays": 30},
            "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
        },
        {
            "id": "reports",
            "status": "Enabled",
            "filter": {"prefix": "reports/"},
            "expiration": {"days": 90},
        },
        {
            "id": "known",
            "status": "Enabled",
            "filter": {"prefix": "known/"},
            "expiration": {"days": 400},
        },
    ]


def test_reports_can_outlive_the_stack(deploy: Deploy) -> None:
    """With deleteReports false a bucket that holds objects is not destroyed."""
    assert deploy(deleteReports=False).one(BUCKET) == {"forceDestroy": False}
