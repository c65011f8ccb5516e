"""Log groups and metric filters."""
# ruff: noqa: ARG002, D102, RUF012 - the base class says what these methods and facts are

from typing import Final

from sandbox.deployment.resources.base import AutoName, Place, Resource
from sandbox.deployment.wire import Properties

# CloudWatch's names of the settings of a metric transformation, by Pulumi's.
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

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
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

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_log_group(logGroupName=identity)

    def tag(self, place: Place, state: Properties, tags: dict[str, str]) -> None:
        place.client.tag_resource(resourceArn=state["arn"], tags=tags)

    def untag(self, place: Place, state: Properties, names: list[str]) -> None:
        place.client.untag_resource(resourceArn=state["arn"], tagKeys=names)

    @staticmethod
    def _retain(place: Place, identity: str, days: int) -> None:
        # 0 means for ever in Pulumi; in CloudWatch the group has no policy then.
        if days:
            place.client.put_retention_policy(logGroupName=identity, retentionInDays=days)
        else:
            place.client.delete_retention_policy(logGroupName=identity)


class LogMetricFilter(Resource):
    """A filter that makes a metric of a log group's matching lines; its id is its name."""

    type_name = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    service = "logs"
    inputs = frozenset({"logGroupName", "metricTransformation", "name", "pattern"})
    replaces = frozenset({"logGroupName", "name"})
    auto_name = AutoName("name", 512)

    def create(self, place: Place, inputs: Properties) -> str:
        transformation = inputs["metricTransformation"]
        place.client.put_metric_filter(
            logGroupName=inputs["logGroupName"],
            filterName=inputs["name"],
            filterPattern=inputs["pattern"],
            metricTransformations=[
                {
                    aws_name: transformation[name]
                    for name, aws_name in _TRANSFORMATION.items()
                    if name in transformation
                }
            ],
        )
        return str(inputs["name"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        filters = place.client.describe_metric_filters(
            logGroupName=state["logGroupName"], filterNamePrefix=identity
        )["metricFilters"]
        metric_filter = next((f for f in filters if f["filterName"] == identity), None)
        if metric_filter is None:
            return None
        (transformation,) = metric_filter["metricTransformations"]
        return {
            "logGroupName": metric_filter["logGroupName"],
            "metricTransformation": {
                name: transformation[aws_name]
                for name, aws_name in _TRANSFORMATION.items()
                if aws_name in transformation
            },
            "name": identity,
            "pattern": metric_filter["filterPattern"],
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        # moto keeps the metric that a filter was first given.
        self.delete(place, identity, inputs)
        self.create(place, inputs)

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_metric_filter(logGroupName=state["logGroupName"], filterName=identity)
