"""The function's deployment package."""

import json
from pathlib import Path

from tests.infra.conftest import Deploy
from tests.infra.resource_types import FUNCTION

EXCEPTION = {
    "group": "shop",
    "ports": "tcp/8443",
    "reason": "partners",
    "owner": "web",
    "until": "2100-01-01",
}


def test_archive_holds_the_handler_and_its_policy(deploy: Deploy, project: Path) -> None:
    """The archive holds the files of handler/ under their own paths, and policy.json."""
    assets = deploy().one(FUNCTION)["code"].assets
    folder = project / "handler"
    sources = [*folder.rglob("*.py"), *folder.rglob("*.json")]
    names = {source.relative_to(project).as_posix() for source in sources}
    assert set(assets) == names | {"policy.json"}
    assert assets["handler/app.py"].path == str(project / "handler" / "app.py")


def test_policy_json_holds_the_configured_policy(deploy: Deploy) -> None:
    """policy.json holds the four policy settings of the stack's config."""
    deployment = deploy(
        minimumSeverity="high",
        trustedCidrs=["198.51.100.0/24"],
        authorizedPorts=["tcp/443"],
        exceptions=[EXCEPTION],
    )
    policy = deployment.one(FUNCTION)["code"].assets["policy.json"]
    assert json.loads(policy.text) == {
        "minimumSeverity": "high",
        "trustedCidrs": ["198.51.100.0/24"],
        "authorizedPorts": ["tcp/443"],
        "exceptions": [EXCEPTION],
    }
