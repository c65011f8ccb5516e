"""The objects of a run: the first one stays."""

import pytest
from botocore.exceptions import ClientError

from handler.organization.run_objects import RunObjects
from sandbox.aws.faults import Fault
from tests.support.organization import MemoryOrganization
from tests.support.stack import BUCKET

IN_PROGRESS = "ConditionalRequestConflict"


@pytest.fixture
def objects(organization: MemoryOrganization) -> RunObjects:
    """The objects of run e1."""
    return RunObjects(organization.account.client("s3"), BUCKET, "e1")


def test_the_first_object_stays(organization: MemoryOrganization, objects: RunObjects) -> None:
    """The second one is not stored."""
    objects.put_once("plans/e1/plan.json", b"first")
    objects.put_once("plans/e1/plan.json", b"second")
    assert organization.stored("plans/e1/plan.json") == b"first"


def test_an_object_is_stored_while_another_write_is_in_progress(
    organization: MemoryOrganization, objects: RunObjects
) -> None:
    """The other write may fail: S3's 409 is tried again, twice."""
    organization.account.faults.add(Fault("PutObject", code=IN_PROGRESS, status=409, times=2))
    objects.put_once("plans/e1/plan.json", b"first")
    assert organization.stored("plans/e1/plan.json") == b"first"


def test_an_object_that_is_never_stored_is_an_error(
    organization: MemoryOrganization, objects: RunObjects
) -> None:
    """The third 409 is raised."""
    organization.account.faults.add(Fault("PutObject", code=IN_PROGRESS, status=409))
    with pytest.raises(ClientError, match=IN_PROGRESS):
        objects.put_once("plans/e1/plan.json", b"first")
