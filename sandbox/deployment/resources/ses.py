"""SES identities."""
# ruff: noqa: ARG002, D102 - the base class says what these methods and facts are

from sandbox.deployment.resources.base import Place, Resource, from_pairs
from sandbox.deployment.wire import Properties


class EmailIdentity(Resource):
    """An address or domain that SES sends from; its id is the address or domain."""

    type_name = "aws:sesv2/emailIdentity:EmailIdentity"
    service = "sesv2"
    inputs = frozenset({"emailIdentity", "tags"})
    replaces = frozenset({"emailIdentity"})
    arn_parameter = "ResourceArn"

    def create(self, place: Place, inputs: Properties) -> str:
        place.client.create_email_identity(EmailIdentity=inputs["emailIdentity"])
        return str(inputs["emailIdentity"])

    def complete(self, place: Place, identity: str, inputs: Properties) -> None:
        # moto stores the tags of CreateEmailIdentity apart from those of TagResource.
        if inputs["tagsAll"]:
            self.tag(place, {"arn": _arn(place, identity)}, inputs["tagsAll"])

    def read(self, place: Place, identity: str, state: Properties) -> Properties | None:
        place.client.get_email_identity(EmailIdentity=identity)
        arn = _arn(place, identity)
        tags = place.client.list_tags_for_resource(ResourceArn=arn)["Tags"]
        return {"arn": arn, "emailIdentity": identity, "tagsAll": from_pairs(tags)}

    def delete(self, place: Place, identity: str, state: Properties) -> None:
        place.client.delete_email_identity(EmailIdentity=identity)


def _arn(place: Place, identity: str) -> str:
    return place.arn("ses", f"identity/{identity}")
