"""Log groups, and the metrics that CloudWatch reads off their lines."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

from typing import Final

from sandbox.deployment.resources.base import AutoName, Place, Resource
from sandbox.deployment.wire import Properties

# What both sides have of a transformation, by Pulumi's names.
_TRANSFORMATION: Final = {
    "name": "metricName",
    "namespace": "metricNamespace",
    "unit": "unit",
    "value": "metricValue",
}


class LogGroup(Resource):
    """A CloudWatch log group; its id is its name."""

    type_name = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    inputs = frozenset({"name", "namePrefix", "retentionInDays", "tags"})
    replaces = frozenset({"name", "namePrefix"})
    defaults = {"retentionInDays": 0}
    auto_name = AutoName("name", 512, "namePrefix")

    def create(self, place: Place, inputs: Properties) -> str:
        place.client.create_log_group(logGroupName=inputs["name"], tags=inputs["tagsAll"])
        return str(inputs["name"])

    def complete(self, place: Place, identity: str, inputs: Properties) -> None:
        self._retain(place, identity, inputs.get("retentionInDays", 0))

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        pages = place.client.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=identity
        )
        groups = (group for page in pages for group in page["logGroups"])
        group = next((group for group in groups if group["logGroupName"] == identity), None)
        if group is None:
            return None
        arn = group["arn"].removesuffix(":*")
        return {
            "arn": arn,
            "name": identity,
            "retentionInDays": group.get("retentionInDays", 0),
            "tagsAll": place.client.list_tags_for_resource(resourceArn=arn)["tags"],
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self._retain(place, identity, inputs.get("retentionInDays", 0))

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_log_group(logGroupName=identity)

    def tag(self, place: Place, known: Properties, tags: dict[str, str]) -> None:
        place.client.tag_resource(resourceArn=known["arn"], tags=tags)

    def untag(self, place: Place, known: Properties, names: list[str]) -> None:
        place.client.untag_resource(resourceArn=known["arn"], tagKeys=names)

    @staticmethod
    def _retain(place: Place, identity: str, days: int) -> None:
        # 0 is Pulumi's word for "for ever", which CloudWatch expresses by having no policy.
        if days:
            place.client.put_retention_policy(logGroupName=identity, retentionInDays=days)
        else:
            place.client.delete_retention_policy(logGroupName=identity)


class LogMetricFilter(Resource):
    """What turns matching lines of a log group into a metric; its id is its name."""

    type_name = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    service = "logs"
    inputs = frozenset({"logGroupName", "metricTransformation", "name", "pattern"})
    replaces = frozenset({"logGroupName", "name"})
    auto_name = AutoName("name", 512)

    def create(self, place: Place, inputs: Properties) -> str:
        given = inputs["metricTransformation"]
        place.client.put_metric_filter(
            logGroupName=inputs["logGroupName"],
            filterName=inputs["name"],
            filterPattern=inputs["pattern"],
            metricTransformations=[
                {
                    aws_name: given[name]
                    for name, aws_name in _TRANSFORMATION.items()
                    if name in given
                }
            ],
        )
        return str(inputs["name"])

    def read(self, place: Place, identity: str, known: Properties) -> Properties | None:
        found = place.client.describe_metric_filters(
            logGroupName=known["logGroupName"], filterNamePrefix=identity
        )["metricFilters"]
        held = next(
            (metric_filter for metric_filter in found if metric_filter["filterName"] == identity),
            None,
        )
        if held is None:
            return None
        (made,) = held["metricTransformations"]
        return {
            "logGroupName": held["logGroupName"],
            "metricTransformation": {
                name: made[aws_name]
                for name, aws_name in _TRANSFORMATION.items()
                if aws_name in made
            },
            "name": identity,
            "pattern": held["filterPattern"],
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        # moto keeps the metric that a filter was first given.
        self.delete(place, identity, inputs)
        self.create(place, inputs)

    def delete(self, place: Place, identity: str, known: Properties) -> None:
        place.client.delete_metric_filter(logGroupName=known["logGroupName"], filterName=identity)
