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
    """The bucket blocks public access and ACLs, encrypts with AES256 and keeps versions."""
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
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    }


def test_reports_and_old_versions_expire(deploy: Deploy) -> None:
    """Reports expire after the configured days, old versions after 30, partial uploads after 7."""
    old, reports = deploy(reportRetentionDays=30).one(LIFECYCLE)["rules"]
    assert old["filter"] == {"prefix": ""}
    assert old["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert old["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert "expiration" not in old
    assert reports["filter"] == {"prefix": "reports/"}
    assert reports["expiration"] == {"days": 30}
    assert {old["status"], reports["status"]} == {"Enabled"}


def test_reports_can_outlive_the_stack(deploy: Deploy) -> None:
    """With deleteReports false a bucket that holds objects is not destroyed."""
    assert deploy(deleteReports=False).one(BUCKET) == {"forceDestroy": False}
