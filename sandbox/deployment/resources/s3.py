"""S3 buckets, and each of their settings as a resource."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

from abc import abstractmethod
from typing import Any, Final

from sandbox.deployment.resources.base import AutoName, Place, Resource, from_pairs, pairs, select
from sandbox.deployment.wire import Properties

# The region that S3 refuses as a LocationConstraint.
_DEFAULT_REGION: Final = "us-east-1"
_FLAGS: Final = (
    "blockPublicAcls",
    "blockPublicPolicy",
    "ignorePublicAcls",
    "restrictPublicBuckets",
)
# The names that S3 spells in another way than the others.
_S3_NAMES: Final = {"id": "ID", "sseAlgorithm": "SSEAlgorithm"}
_PULUMI_NAMES: Final = {aws_name: name for name, aws_name in _S3_NAMES.items()}


class Bucket(Resource):
    """A bucket; its id is its name."""

    type_name = "aws:s3/bucket:Bucket"
    service = "s3"
    inputs = frozenset({"bucket", "forceDestroy", "tags"})
    replaces = frozenset({"bucket"})
    defaults = {"forceDestroy": False}
    auto_name = AutoName("bucket", 63)

    def create(self, place: Place, inputs: Properties) -> str:
        location = {"LocationConstraint": place.region}
        more = {} if place.region == _DEFAULT_REGION else {"CreateBucketConfiguration": location}
        place.client.create_bucket(Bucket=inputs["bucket"], **more)
        return str(inputs["bucket"])

    def complete(self, place: Place, identity: str, inputs: Properties) -> None:
        if inputs["tagsAll"]:
            self.tag(place, {"bucket": identity}, inputs["tagsAll"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        # It raises NoSuchBucket, which names the error; that of head_bucket is a number.
        place.client.get_bucket_location(Bucket=identity)
        return {
            "arn": f"arn:aws:s3:::{identity}",
            "bucket": identity,
            # It is not in S3: it is what the provider does before it deletes.
            "forceDestroy": state.get("forceDestroy", False),
            "tagsAll": _tags(place, identity),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        if other_inputs := changed - {"forceDestroy"}:
            super().update(place, identity, inputs, other_inputs)

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        if state.get("forceDestroy"):
            _empty(place, identity)
        place.client.delete_bucket(Bucket=identity)

    def tag(self, place: Place, state: Properties, tags: dict[str, str]) -> None:
        # The call replaces all tags.
        place.client.put_bucket_tagging(Bucket=state["bucket"], Tagging={"TagSet": pairs(tags)})

    def untag(self, place: Place, state: Properties, names: list[str]) -> None:
        tags = {k: v for k, v in _tags(place, state["bucket"]).items() if k not in names}
        if tags:
            self.tag(place, state, tags)
        else:
            place.client.delete_bucket_tagging(Bucket=state["bucket"])


class _BucketSetting(Resource):
    """A setting of a bucket; its id is the bucket's name."""

    service = "s3"
    replaces = frozenset({"bucket"})

    def create(self, place: Place, inputs: Properties) -> str:
        self.put(place, inputs["bucket"], inputs)
        return str(inputs["bucket"])

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self.put(place, identity, inputs)

    @abstractmethod
    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        """Set it, in place of what was set before."""


class BucketPublicAccessBlock(_BucketSetting):
    """Block Public Access of a bucket."""

    type_name = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    inputs = frozenset({"bucket", *_FLAGS})
    defaults = dict.fromkeys(_FLAGS, False)

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        flags = _to_s3({**self.defaults, **select(inputs, *_FLAGS)})
        place.client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=flags)

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        answer = place.client.get_public_access_block(Bucket=identity)
        return {"bucket": identity, **_from_s3(answer["PublicAccessBlockConfiguration"])}

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_public_access_block(Bucket=identity)


class BucketOwnershipControls(_BucketSetting):
    """Object Ownership of a bucket."""

    type_name = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    inputs = frozenset({"bucket", "rule"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        controls = {"Rules": [_to_s3(inputs["rule"])]}
        place.client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        answer = place.client.get_bucket_ownership_controls(Bucket=identity)
        (rule,) = answer["OwnershipControls"]["Rules"]
        return {"bucket": identity, "rule": _from_s3(rule)}

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_bucket_ownership_controls(Bucket=identity)


class BucketServerSideEncryptionConfiguration(_BucketSetting):
    """The default encryption of a bucket."""

    type_name = (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    )
    inputs = frozenset({"bucket", "rules"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        rules = _to_s3(inputs["rules"])
        for rule in rules:
            if types := rule.get("BlockedEncryptionTypes"):
                rule["BlockedEncryptionTypes"] = {"EncryptionType": types}
        place.client.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules}
        )

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        answer = place.client.get_bucket_encryption(Bucket=identity)
        rules = _from_s3(answer["ServerSideEncryptionConfiguration"]["Rules"])
        for rule in rules:
            if blocked := rule.get("blockedEncryptionTypes"):
                rule["blockedEncryptionTypes"] = blocked["encryptionType"]
        # S3 also returns BucketKeyEnabled, which is false without a KMS key.
        return {
            "bucket": identity,
            "rules": [{k: v for k, v in rule.items() if v is not False} for rule in rules],
        }

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_bucket_encryption(Bucket=identity)


class BucketVersioning(_BucketSetting):
    """The versioning of a bucket."""

    type_name = "aws:s3/bucketVersioning:BucketVersioning"
    inputs = frozenset({"bucket", "versioningConfiguration"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        versioning = _to_s3(inputs["versioningConfiguration"])
        place.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        answer = place.client.get_bucket_versioning(Bucket=identity)
        if "Status" not in answer:
            return None
        return {"bucket": identity, "versioningConfiguration": {"status": answer["Status"]}}

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        # The versioning of a bucket can be suspended, but not removed.
        suspended = {"Status": "Suspended"}
        place.client.put_bucket_versioning(Bucket=identity, VersioningConfiguration=suspended)


class BucketLifecycleConfiguration(_BucketSetting):
    """The lifecycle rules of a bucket."""

    type_name = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    inputs = frozenset({"bucket", "rules"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        rules = {"Rules": _to_s3(inputs["rules"])}
        place.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        answer = place.client.get_bucket_lifecycle_configuration(Bucket=identity)
        return {"bucket": identity, "rules": _from_s3(answer["Rules"])}

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_bucket_lifecycle(Bucket=identity)


class BucketPolicy(_BucketSetting):
    """The policy of a bucket."""

    type_name = "aws:s3/bucketPolicy:BucketPolicy"
    inputs = frozenset({"bucket", "policy"})
    documents = frozenset({"policy"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        place.client.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        answer = place.client.get_bucket_policy(Bucket=identity)
        return {"bucket": identity, "policy": answer["Policy"]}

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_bucket_policy(Bucket=identity)


def _tags(place: Place, bucket: str) -> dict[str, str]:
    try:
        return from_pairs(place.client.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except place.client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        return {}


def _empty(place: Place, bucket: str) -> None:
    """Delete all versions of all objects, delete markers and unfinished uploads."""
    client = place.client
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            client.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", ()):
            client.abort_multipart_upload(
                Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            )


def _to_s3(value: Any) -> Any:
    """Nested inputs as S3 spells them."""
    if isinstance(value, list):
        return [_to_s3(item) for item in value]
    if isinstance(value, dict):
        return {
            _S3_NAMES.get(name, name[0].upper() + name[1:]): _to_s3(item)
            for name, item in value.items()
            if item is not None
        }
    return value


def _from_s3(value: Any) -> Any:
    """What S3 answers, as Pulumi spells it."""
    if isinstance(value, list):
        return [_from_s3(item) for item in value]
    if isinstance(value, dict):
        return {
            _PULUMI_NAMES.get(name, name[0].lower() + name[1:]): _from_s3(item)
            for name, item in value.items()
        }
    return value
