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
    """The archive holds the modules of handler/ under their own paths, and policy.json."""
    assets = deploy().one(FUNCTION)["code"].assets
    assert sorted(assets) == [
        "handler/__init__.py",
        "handler/address.py",
        "handler/answer.py",
        "handler/app.py",
        "handler/audit.py",
        "handler/aws.py",
        "handler/clock.py",
        "handler/collect.py",
        "handler/event.py",
        "handler/exceptions.py",
        "handler/exposure.py",
        "handler/findings.py",
        "handler/fix.py",
        "handler/interfaces.py",
        "handler/ledger.py",
        "handler/memory.py",
        "handler/model.py",
        "handler/notify.py",
        "handler/parse.py",
        "handler/policy.py",
        "handler/report/__init__.py",
        "handler/report/csv.py",
        "handler/report/digest.py",
        "handler/report/document.py",
        "handler/report/fit.py",
        "handler/report/headline.py",
        "handler/report/html.py",
        "handler/report/text.py",
        "handler/report/words.py",
        "handler/scan.py",
        "handler/services.py",
        "handler/settings.py",
        "handler/severity.py",
        "handler/state.py",
        "handler/store.py",
        "handler/together.py",
        "handler/written.py",
        "policy.json",
    ]
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
