"""CloudTrail's records of API calls, in the forms that its user guide and EC2's logs have."""

from typing import Any

Record = dict[str, Any]

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
WORLD = "0.0.0.0/0"


def iam_user(name: str = "alice", account: str = ACCOUNT) -> Record:
    """The identity of an IAM user."""
    return {
        "type": "IAMUser",
        "principalId": "AIDAJ45Q7YFFAREXAMPLE",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "userName": name,
    }


def role(name: str = "Deploy", session: str = "alice", path: str = "/", **more: str) -> Record:
    """The identity of a role's session."""
    return {
        "type": "AssumedRole",
        "principalId": f"AROAIDPPEZS35WEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAIDPPEZS35WEXAMPLE",
                "arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
                "accountId": ACCOUNT,
                "userName": name,
            },
            "attributes": {"creationDate": "2026-11-23T04:00:00Z", "mfaAuthenticated": "false"},
        },
        **more,
    }


def record(
    name: str,
    request: Record | None,
    response: Record | None,
    identity: Record | None = None,
    **fields: Any,
) -> Record:
    """The record of a call in eu-west-1, on 23 Nov 2026 at 05:58."""
    return {
        "eventVersion": "1.10",
        "userIdentity": iam_user() if identity is None else identity,
        "eventTime": "2026-11-23T05:58:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": request,
        "responseElements": response,
        "requestID": "5a4db0c5-1111-4000-8000-000000000000",
        "eventID": "5a4db0c5-2222-4000-8000-000000000000",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        **fields,
    }


def rule(
    rule_id: str = "sgr-1", source: str = WORLD, low: int = 22, high: int = 22, **fields: Any
) -> Record:
    """A rule in the answer to AuthorizeSecurityGroupIngress."""
    key = (
        "prefixListId" if source.startswith("pl-") else "cidrIpv6" if ":" in source else "cidrIpv4"
    )
    return {
        "groupOwnerId": ACCOUNT,
        "groupId": "sg-1",
        "securityGroupRuleId": rule_id,
        "isEgress": False,
        "ipProtocol": "tcp",
        "fromPort": low,
        "toPort": high,
        key: source,
        **fields,
    }


def authorize(*rules: Record, group: Record | None = None, **fields: Any) -> Record:
    """AuthorizeSecurityGroupIngress that made these rules."""
    items = [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": {}}]
    request = {**(group or {"groupId": "sg-1"}), "ipPermissions": {"items": items}}
    response = {
        "requestId": "5a4db0c5-1111-4000-8000-000000000000",
        "_return": True,
        "securityGroupRuleSet": {"items": list(rules)},
    }
    return record("AuthorizeSecurityGroupIngress", request, response, **fields)


def update(
    rule_id: str = "sgr-1", source: str = WORLD, low: int = 22, high: int = 22, **more: Any
) -> Record:
    """A rule of ModifySecurityGroupRules."""
    key = (
        "PrefixListId" if source.startswith("pl-") else "CidrIpv6" if ":" in source else "CidrIpv4"
    )
    values = {"IpProtocol": "tcp", "FromPort": low, "ToPort": high, key: source, **more}
    return {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": values, "tag": 1}


def modify(updates: Record | list[Record], **fields: Any) -> Record:
    """ModifySecurityGroupRules of one rule, or of a list of rules."""
    request = {"GroupId": "sg-1", "SecurityGroupRule": updates}
    return _newer("ModifySecurityGroupRules", request, **fields)


def modify_list(list_id: str = "pl-1", **parameters: Any) -> Record:
    """ModifyManagedPrefixList."""
    request = {"PrefixListId": list_id, "CurrentVersion": 1, **parameters}
    return _newer("ModifyManagedPrefixList", request)


def restore_list(list_id: str = "pl-1") -> Record:
    """RestoreManagedPrefixListVersion."""
    request = {"PrefixListId": list_id, "CurrentVersion": 2, "PreviousVersion": 1}
    return _newer("RestoreManagedPrefixListVersion", request)


def attach(holder: str = "eni-1", *groups: str, **fields: Any) -> Record:
    """ModifyNetworkInterfaceAttribute, or ModifyInstanceAttribute, of the groups."""
    is_interface = holder.startswith("eni-")
    name = "ModifyNetworkInterfaceAttribute" if is_interface else "ModifyInstanceAttribute"
    key = "networkInterfaceId" if is_interface else "instanceId"
    items = [{"groupId": group} for group in groups]
    request = {key: holder, "groupSet": {"items": items}}
    return record(name, request, {"_return": True}, **fields)


def assign_ipv6(interface: str = "eni-1") -> Record:
    """AssignIpv6Addresses."""
    request = {"NetworkInterfaceId": interface, "Ipv6AddressCount": 1}
    return _newer("AssignIpv6Addresses", request)


def associate_address(holder: str = "eni-1") -> Record:
    """AssociateAddress."""
    key = "networkInterfaceId" if holder.startswith("eni-") else "instanceId"
    request = {key: holder, "allocationId": "eipalloc-1", "allowReassociation": False}
    return record("AssociateAddress", request, {"_return": True, "associationId": "eipassoc-1"})


def _newer(name: str, request: Record, **fields: Any) -> Record:
    """A call whose parameters keep their capitals below one key."""
    answer = {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", "return": True}
    return record(name, {f"{name}Request": request}, {f"{name}Response": answer}, **fields)
