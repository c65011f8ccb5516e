"""The cut service models are those of the installed botocore, and enough for a run."""

from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError

from handler import aws
from handler.aws import Clients, small_session
from tools.service_models import MODELS, OPERATIONS, service_models, text_of


def test_models_are_cut_from_the_installed_botocore() -> None:
    """`python -m tools.service_models` would change nothing."""
    expected = {f"{name}.json": text_of(data) for name, data in service_models()}
    found = {
        path.relative_to(MODELS).as_posix(): path.read_text(encoding="utf-8")
        for path in MODELS.rglob("*.json")
    }
    assert found == expected


@pytest.mark.parametrize("service", OPERATIONS)
@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-west-1", "xx-new-9"])
def test_clients_are_those_of_the_whole_models(service: str, region: str) -> None:
    """They call the same address and sign for the same region, in every partition."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    sessions: tuple[Any, Any] = (small_session(), botocore.session.get_session())
    small, large = (
        session.create_client(service, region_name=region, **keys) for session in sessions
    )
    assert small.meta.endpoint_url == large.meta.endpoint_url
    assert small.meta.region_name == large.meta.region_name
    assert set(small.meta.service_model.operation_names) == set(OPERATIONS[service])


def test_other_services_have_the_whole_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of a service without a cut model is made of botocore's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    with pytest.raises(UnknownServiceError):
        small_session().create_client("sqs", region_name="eu-west-1")
    client = Clients().get("sqs", "eu-west-1")
    assert "SendMessage" in client.meta.service_model.operation_names


@pytest.mark.parametrize("damage", ["{", "{}", '{"metadata": {}, "operations": {}}'])
def test_a_model_that_boto3_cannot_use_is_replaced(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A boto3 that expects more of a model gets the whole one."""
    for name, data in service_models():
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(damage if name.endswith("service-2") else text_of(data), encoding="utf-8")
    monkeypatch.setattr(aws, "_SERVICE_MODELS", tmp_path)
    monkeypatch.setattr(aws, "small_session", aws.small_session.__wrapped__)
    client: Any = Clients().get("ec2", "eu-west-1")
    assert "DescribeInstances" in client.meta.service_model.operation_names
