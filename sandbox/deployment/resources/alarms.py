"""CloudWatch alarms on one metric."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

from typing import Any, Final

from sandbox.deployment.resources.base import (
    AutoName,
    Place,
    Resource,
    camel,
    from_pairs,
    pairs,
    pascal,
    select,
)
from sandbox.deployment.wire import Properties

_PLAIN: Final = (
    "alarmActions",
    "alarmDescription",
    "comparisonOperator",
    "datapointsToAlarm",
    "evaluationPeriods",
    "metricName",
    "namespace",
    "period",
    "statistic",
    "threshold",
    "treatMissingData",
)


class MetricAlarm(Resource):
    """An alarm; its id is its name."""

    type_name = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    inputs = frozenset({*_PLAIN, "dimensions", "name", "tags"})
    replaces = frozenset({"name"})
    defaults = {"treatMissingData": "missing"}
    auto_name = AutoName("name", 255)

    def create(self, place: Place, inputs: Properties) -> str:
        self._put(place, inputs, Tags=pairs(inputs["tagsAll"]))
        return str(inputs["name"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        alarms = place.client.describe_alarms(AlarmNames=[identity])["MetricAlarms"]
        if not alarms:
            return None
        alarm: dict[str, Any] = alarms[0]
        tags = place.client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        live = {**self.defaults, **camel(alarm)}
        return {
            **{name: live.get(name) for name in _PLAIN},
            "arn": alarm["AlarmArn"],
            "dimensions": {
                dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", ())
            },
            "name": identity,
            "tagsAll": from_pairs(tags),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self._put(place, inputs)

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_alarms(AlarmNames=[identity])

    def _put(self, place: Place, inputs: Properties, **more: Any) -> None:
        dimensions = inputs.get("dimensions") or {}
        place.client.put_metric_alarm(
            AlarmName=inputs["name"],
            Dimensions=[{"Name": k, "Value": v} for k, v in sorted(dimensions.items())],
            **pascal(select({**self.defaults, **inputs}, *_PLAIN)),
            **more,
        )
