"""The state machine of many accounts is valid by linters that know nothing of this project."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]
from statelint.linter import Linter  # type: ignore[import-untyped]

from infra.state_machine import definition

States = dict[str, Any]

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function"
# statelint lacks a field, and takes a number for an integer that may have a fraction:
# https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
# https://states-language.net/spec.html#map-state
FALSE_ALARMS = {
    'Field "InputType" not allowed in State Machine.States.Scan.ItemReader.ReaderConfig',
    "State Machine.States.Scan.ToleratedFailurePercentage is 100.0 but should be an Integer",
}


def machine() -> dict[str, Any]:
    """The definition that the program deploys."""
    return definition(
        partition="aws",
        scan_arn=f"{FUNCTION}:scan",
        report_arn=f"{FUNCTION}:report",
        scan_seconds=300,
        report_seconds=900,
        concurrency=8,
    )


def problems(document: dict[str, Any]) -> set[str]:
    """What statelint finds in a definition, and cfn-lint in a template with it."""
    properties = {
        "RoleArn": "arn:aws:iam::111122223333:role/a",
        "DefinitionString": json.dumps(document),
    }
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    template = json.dumps({"Resources": {"StateMachine": resource}})
    matches = lint(template, config=ManualArgs(regions=["us-east-1"]))
    return {*Linter.validate(document), *(match.message for match in matches)} - FALSE_ALARMS


def test_definition_is_valid() -> None:
    """Neither linter finds anything in the definition but its own false alarms."""
    assert problems(machine()) == set()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        pytest.param(
            lambda states: states["Scan"].update(Next="Mail"),
            'No state found named "Mail", referenced at State Machine.States.Scan.Next',
            id="next",
        ),
        pytest.param(
            lambda states: states["Scan"]["ItemProcessor"]["States"]["Scan account"].pop("Catch"),
            "No transition found to state State Machine.States.Scan.ItemProcessor.Record failure",
            id="unreachable",
        ),
        pytest.param(
            lambda states: states["Scan"]["Catch"][0].update(ErrorEquals=["States.ALL", "Other"]),
            "State Machine.States.Scan.Catch[0]: States.ALL can only appear in the last element, "
            "and by itself.",
            id="catch",
        ),
        pytest.param(
            lambda states: states["Scan"]["ItemSelector"].update({"run.$": "run"}),
            'Field "run.$" of ItemSelector at "State Machine.States.Scan" is not a JSONPath or '
            "intrinsic function expression",
            id="path",
        ),
        pytest.param(
            lambda states: states["Scan"].update(MaxConcurency=8),
            'Field "MaxConcurency" not allowed in State Machine.States.Scan',
            id="field",
        ),
        pytest.param(
            lambda states: states["Report"].pop("Resource"),
            "'Resource' is a required property at 'States/Report'",
            id="resource",
        ),
    ],
)
def test_linters_find_what_is_wrong(spoil: Callable[[States], object], problem: str) -> None:
    """A definition that Step Functions would refuse, or that could not end, has a problem."""
    document = copy.deepcopy(machine())
    spoil(document["States"])
    assert problem in problems(document)
