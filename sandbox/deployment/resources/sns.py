"""SNS topics, their policies and subscriptions."""
# ruff: noqa: ARG002, D102 - the base class says what these methods and facts are

import json

from sandbox.deployment.resources.base import (
    AutoName,
    Place,
    Resource,
    from_pairs,
    pairs,
    pascal,
    select,
)
from sandbox.deployment.wire import Properties


class Topic(Resource):
    """An SNS topic; its id is its ARN."""

    type_name = "aws:sns/topic:Topic"
    service = "sns"
    inputs = frozenset({"displayName", "name", "tags"})
    replaces = frozenset({"name"})
    auto_name = AutoName("name", 256)
    arn_parameter = "ResourceArn"

    def create(self, place: Place, inputs: Properties) -> str:
        answer = place.client.create_topic(
            Name=inputs["name"],
            Attributes=pascal(select(inputs, "displayName")),
            Tags=pairs(inputs["tagsAll"]),
        )
        return str(answer["TopicArn"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        attributes = place.client.get_topic_attributes(TopicArn=identity)["Attributes"]
        tags = place.client.list_tags_for_resource(ResourceArn=identity)["Tags"]
        return {
            "arn": identity,
            "displayName": attributes["DisplayName"],
            "name": identity.rsplit(":", maxsplit=1)[-1],
            "tagsAll": from_pairs(tags),
        }

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        place.client.set_topic_attributes(
            TopicArn=identity,
            AttributeName="DisplayName",
            AttributeValue=inputs.get("displayName") or "",
        )

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_topic(TopicArn=identity)


class TopicPolicy(Resource):
    """The policy of a topic; its id is the topic's ARN."""

    type_name = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    inputs = frozenset({"arn", "policy"})
    replaces = frozenset({"arn"})
    documents = frozenset({"policy"})

    def create(self, place: Place, inputs: Properties) -> str:
        self._put(place, inputs["arn"], inputs["policy"])
        return str(inputs["arn"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        attributes = place.client.get_topic_attributes(TopicArn=identity)["Attributes"]
        return {"arn": identity, "policy": attributes["Policy"]}

    def update(self, place: Place, identity: str, inputs: Properties, changed: set[str]) -> None:
        self._put(place, identity, inputs["policy"])

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        # A topic always has a policy; that of a new one lets its owner do everything.
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "SNS:*",
            "Resource": identity,
            "Condition": {"StringEquals": {"AWS:SourceOwner": place.account}},
        }
        default = {"Version": "2008-10-17", "Statement": [statement]}
        self._put(place, identity, json.dumps(default))

    @staticmethod
    def _put(place: Place, topic: str, policy: str) -> None:
        place.client.set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=policy
        )


class TopicSubscription(Resource):
    """A subscription of a topic; its id is its ARN.

    This account confirms an address at once; AWS mails it a link to confirm.
    """

    type_name = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    inputs = frozenset({"endpoint", "protocol", "topic"})
    replaces = inputs

    def create(self, place: Place, inputs: Properties) -> str:
        answer = place.client.subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        fields = place.client.get_subscription_attributes(SubscriptionArn=identity)["Attributes"]
        return {
            "arn": identity,
            "endpoint": fields["Endpoint"],
            "protocol": fields["Protocol"],
            "topic": fields["TopicArn"],
        }

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.unsubscribe(SubscriptionArn=identity)
