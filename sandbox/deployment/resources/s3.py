"""S3 buckets and what is set on them, each a resource of its own."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

from abc import abstractmethod
from typing import Any, Final

from sandbox.deployment.resources.base import AutoName, Place, Resource, from_pairs, pairs, picked
from sandbox.deployment.wire import Properties

# The region in which S3 wants to be told of none.
_NAMELESS_REGION: Final = "us-east-1"
_FLAGS: Final = (
    "blockPublicAcls",
    "blockPublicPolicy",
    "ignorePublicAcls",
    "restrictPublicBuckets",
)
# The names that S3 does not spell as it spells the others.
_SPELLED: Final = {"id": "ID", "sseAlgorithm": "SSEAlgorithm"}
_READ: Final = {aws_name: name for name, aws_name in _SPELLED.items()}


class Bucket(Resource):
    """A bucket; its id is its name."""

    type_name = "aws:s3/bucket:Bucket"
    service = "s3"
    inputs = frozenset({"bucket", "forceDestroy", "tags"})
    replaces = frozenset({"bucket"})
    defaults = {"forceDestroy": False}
    auto_name = AutoName("bucket", 63)

    def create(self, place: Place, inputs: Properties) -> str:
        where = {"LocationConstraint": place.region}
        named = {} if place.region == _NAMELESS_REGION else {"CreateBucketConfiguration": where}
        place.client.create_bucket(Bucket=inputs["bucket"], **named)
        return str(inputs["bucket"])

    def complete(self, place: Place, identity: str, inputs: Properties) -> None:
        if inputs["tagsAll"]:
            self.tag(place, {"bucket": identity}, inputs["tagsAll"])

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        # It raises NoSuchBucket, which names the error; that of head_bucket is a number.
        place.client.get_bucket_location(Bucket=identity)
        return {
            "arn": f"arn:aws:s3:::{identity}",
            "bucket": identity,
            # S3 does not know of it: it is what the provider does when it deletes.
            "forceDestroy": known.get("forceDestroy", False),
            "tagsAll": _tags(place, identity),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        if others := changed - {"forceDestroy"}:
            super().update(place, identity, inputs, others)

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        if known.get("forceDestroy"):
            _empty(place, identity)
        place.client.delete_bucket(Bucket=identity)

    def tag(self, place: Place, known: Properties, tags: dict[str, str]) -> None:
        # Always the whole set.
        place.client.put_bucket_tagging(Bucket=known["bucket"], Tagging={"TagSet": pairs(tags)})

    def untag(self, place: Place, known: Properties, names: list[str]) -> None:
        kept = {k: v for k, v in _tags(place, known["bucket"]).items() if k not in names}
        if kept:
            self.tag(place, known, kept)
        else:
            place.client.delete_bucket_tagging(Bucket=known["bucket"])


class _BucketPart(Resource):
    """What is set on a bucket; its id is the bucket's name."""

    service = "s3"
    replaces = frozenset({"bucket"})

    def create(self, place: Place, inputs: Properties) -> str:
        self.put(place, inputs["bucket"], inputs)
        return str(inputs["bucket"])

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self.put(place, identity, inputs)

    @abstractmethod
    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        """Set it, whatever was set before."""


class BucketPublicAccessBlock(_BucketPart):
    """What of a bucket may be public."""

    type_name = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    inputs = frozenset({"bucket", *_FLAGS})
    defaults = dict.fromkeys(_FLAGS, False)

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        flags = _to_s3({**self.defaults, **picked(inputs, *_FLAGS)})
        place.client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=flags)

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        held = place.client.get_public_access_block(Bucket=identity)
        return {"bucket": identity, **_from_s3(held["PublicAccessBlockConfiguration"])}

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_public_access_block(Bucket=identity)


class BucketOwnershipControls(_BucketPart):
    """Whose a bucket's objects are."""

    type_name = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    inputs = frozenset({"bucket", "rule"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        controls = {"Rules": [_to_s3(inputs["rule"])]}
        place.client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        held = place.client.get_bucket_ownership_controls(Bucket=identity)
        (rule,) = held["OwnershipControls"]["Rules"]
        return {"bucket": identity, "rule": _from_s3(rule)}

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_bucket_ownership_controls(Bucket=identity)


class BucketServerSideEncryptionConfiguration(_BucketPart):
    """How a bucket encrypts what nobody encrypted otherwise."""

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

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        held = place.client.get_bucket_encryption(Bucket=identity)
        rules = _from_s3(held["ServerSideEncryptionConfiguration"]["Rules"])
        for rule in rules:
            if blocked := rule.get("blockedEncryptionTypes"):
                rule["blockedEncryptionTypes"] = blocked["encryptionType"]
        # Without a key of one's own there is no bucket key, and S3 says so unasked.
        return {
            "bucket": identity,
            "rules": [{k: v for k, v in rule.items() if v is not False} for rule in rules],
        }

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_bucket_encryption(Bucket=identity)


class BucketVersioning(_BucketPart):
    """Whether a bucket keeps what is overwritten or deleted."""

    type_name = "aws:s3/bucketVersioning:BucketVersioning"
    inputs = frozenset({"bucket", "versioningConfiguration"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        wanted = _to_s3(inputs["versioningConfiguration"])
        place.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=wanted)

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        held = place.client.get_bucket_versioning(Bucket=identity)
        if "Status" not in held:
            return None
        return {"bucket": identity, "versioningConfiguration": {"status": held["Status"]}}

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        # A bucket that had versions once can only stop.
        suspended = {"Status": "Suspended"}
        place.client.put_bucket_versioning(Bucket=identity, VersioningConfiguration=suspended)


class BucketLifecycleConfiguration(_BucketPart):
    """What a bucket deletes by itself, and when."""

    type_name = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    inputs = frozenset({"bucket", "rules"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        rules = {"Rules": _to_s3(inputs["rules"])}
        place.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        held = place.client.get_bucket_lifecycle_configuration(Bucket=identity)
        return {"bucket": identity, "rules": _from_s3(held["Rules"])}

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_bucket_lifecycle(Bucket=identity)


class BucketPolicy(_BucketPart):
    """Who may do what with a bucket, whatever their own policies say."""

    type_name = "aws:s3/bucketPolicy:BucketPolicy"
    inputs = frozenset({"bucket", "policy"})
    documents = frozenset({"policy"})

    def put(self, place: Place, bucket: str, inputs: Properties) -> None:
        place.client.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"])

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        held = place.client.get_bucket_policy(Bucket=identity)
        return {"bucket": identity, "policy": held["Policy"]}

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_bucket_policy(Bucket=identity)


def _tags(place: Place, bucket: str) -> dict[str, str]:
    try:
        return from_pairs(place.client.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except place.client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        return {}


def _empty(place: Place, bucket: str) -> None:
    """Delete every version of every object, what marks one as deleted, and unfinished uploads."""
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
            _SPELLED.get(name, name[0].upper() + name[1:]): _to_s3(item)
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
            _READ.get(name, name[0].lower() + name[1:]): _from_s3(item)
            for name, item in value.items()
        }
    return value
