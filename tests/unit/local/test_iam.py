"""local.iam: each condition that the templates use, shown to bite."""

from pathlib import Path
from typing import Any

import pytest

from local.iam import Call, Judge, PolicyError, needs
from local.template import Function, Key, Policy, Table, Template

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/keys"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/8d6b1a66-2f0c-4f53-8f6c-0a1b2c3d4e5f"
ROLE = "arn:aws:iam::123456789012:role/caller"
SCHEMA = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {"IndexName": "by_expiry", "KeySchema": [{"AttributeName": "bucket", "KeyType": "HASH"}]},
    ],
}


def template(statements: list[dict[str, Any]], key_policy: list[dict[str, Any]] | None = None) -> Template:
    policy = Policy("CanDoIt", {"Version": "2012-10-17", "Statement": statements})
    secrets = {"KeyPolicy": {"Statement": key_policy}} if key_policy else {}
    return Template(
        region="eu-west-1",
        account="123456789012",
        tables={"KeyTable": Table("keys", TABLE, SCHEMA)},
        keys={"SecretsKey": Key(KEY.rpartition("/")[2], KEY, secrets)},
        functions={"Caller": Function("Caller", "caller", "", "", (), {}, 3, 128, "", (policy,), ROLE)},
        identities=("desk@mail.example",),
    )


def allow(actions: str | list[str], resource: str | list[str] = TABLE, **condition: Any) -> dict[str, Any]:
    named = {operator.replace("_", ":"): keys for operator, keys in condition.items()}
    return {"Effect": "Allow", "Action": actions, "Resource": resource, "Condition": named}


def verdicts(rules: Template, service: str, operation: str, **request: Any) -> list[str]:
    asked = needs(Call("Caller", service, operation, request), rules)
    return [Judge(rules).weigh("Caller", access) for access in asked]


def allowed(rules: Template, service: str, operation: str, **request: Any) -> bool:
    return set(verdicts(rules, service, operation, **request)) == {"allowed"}


def row(partition: str, sort: str = "x", **attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": sort}, **attributes}


LEADING = {"dynamodb:LeadingKeys": ["TOKEN#*", "OWNER#1"]}
TOKENS = template(
    [
        allow(
            ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem"],
            ForAllValues_StringLike=LEADING,
            Null={"dynamodb:LeadingKeys": "false"},
        )
    ]
)


@pytest.mark.parametrize(("partition", "expected"), [("TOKEN#a", True), ("OWNER#1", True), ("OWNER#2", False)])
def test_leading_keys_hold_for_each_way_to_reach_a_row(partition: str, expected: bool) -> None:
    key = row(partition)
    query = {"KeyConditionExpression": "#p = :p", "ExpressionAttributeNames": {"#p": "pk"}}
    values = {"ExpressionAttributeValues": {":p": {"S": partition}}}
    batch = {"keys": {"Keys": [row("TOKEN#b"), key]}}
    transaction = [{"Put": {"TableName": "keys", "Item": row("TOKEN#b")}}, {"Put": {"TableName": "keys", "Item": key}}]
    assert allowed(TOKENS, "dynamodb", "GetItem", TableName="keys", Key=key) is expected
    assert allowed(TOKENS, "dynamodb", "GetItem", TableName=TABLE, Key=key) is expected
    assert allowed(TOKENS, "dynamodb", "BatchGetItem", RequestItems=batch) is expected
    assert allowed(TOKENS, "dynamodb", "Query", TableName="keys", **query, **values) is expected
    assert allowed(TOKENS, "dynamodb", "TransactWriteItems", TransactItems=transaction) is expected


def test_for_all_values_alone_lets_a_request_without_keys_pass_and_null_stops_it() -> None:
    without_null = template([allow("dynamodb:Scan", ForAllValues_StringLike=LEADING)])
    assert allowed(without_null, "dynamodb", "Scan", TableName="keys")
    assert not allowed(TOKENS, "dynamodb", "Scan", TableName="keys")


def test_each_item_of_a_transaction_asks_for_its_own_action() -> None:
    rules = template([allow(["dynamodb:PutItem", "dynamodb:ConditionCheckItem"])])
    put, key = {"TableName": "keys", "Item": row("a")}, {"TableName": "keys", "Key": row("a")}
    items = [{"Put": put}, {"ConditionCheck": key}, {"Delete": key}, {"Update": key}]
    expected = ["allowed", "allowed", "implicit deny", "implicit deny"]
    assert verdicts(rules, "dynamodb", "TransactWriteItems", TransactItems=items) == expected


@pytest.mark.parametrize("operator", ["StringEquals", "ForAnyValue_StringEquals"])
def test_enclosing_operation_refuses_a_write_of_its_own(operator: str) -> None:
    rules = template(
        [allow("dynamodb:PutItem", TABLE, **{operator: {"dynamodb:EnclosingOperation": "TransactWriteItems"}})]
    )
    put = {"TableName": "keys", "Item": row("a")}
    assert allowed(rules, "dynamodb", "TransactWriteItems", TransactItems=[{"Put": put}])
    assert not allowed(rules, "dynamodb", "PutItem", **put)


def test_an_index_is_a_resource_of_its_own_with_its_own_partition_key() -> None:
    query = {
        "TableName": "keys",
        "IndexName": "by_expiry",
        "KeyConditionExpression": "bucket = :b AND at < :t",
        "ExpressionAttributeValues": {":b": {"S": "2026"}, ":t": {"N": "5"}},
    }
    this_year = {"dynamodb:LeadingKeys": ["2026"]}
    assert not allowed(template([allow("dynamodb:Query")]), "dynamodb", "Query", **query)
    rules = template([allow("dynamodb:Query", f"{TABLE}/index/by_expiry", ForAllValues_StringEquals=this_year)])
    assert allowed(rules, "dynamodb", "Query", **query)
    query["ExpressionAttributeValues"] = {":b": {"S": "2027"}, ":t": {"N": "5"}}
    assert not allowed(rules, "dynamodb", "Query", **query)


LISTING = template(
    [
        allow(
            ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"],
            ForAllValues_StringEquals={"dynamodb:Attributes": ["pk", "sk", "state", "owner"]},
            StringEqualsIfExists={"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        )
    ]
)


@pytest.mark.parametrize(
    ("projection", "names", "expected"),
    [
        ("#s, owner", {"#s": "state"}, True),
        ("owner.ciphertext[0]", {}, True),  # only the top level counts
        ("#s, owner", {"#s": "ciphertext"}, False),
        ("ciphertext", {}, False),
        ("ciphertext.first", {}, False),
    ],
)
def test_attributes_are_those_that_the_expressions_name(projection: str, names: dict[str, str], expected: bool) -> None:
    request = {"TableName": "keys", "Key": row("a"), "ProjectionExpression": projection}
    assert allowed(LISTING, "dynamodb", "GetItem", **request, ExpressionAttributeNames=names) is expected


def test_select_refuses_a_read_of_whole_rows() -> None:
    query = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}
    assert not allowed(LISTING, "dynamodb", "GetItem", TableName="keys", Key=row("a"))
    assert not allowed(LISTING, "dynamodb", "Query", TableName="keys", **query)
    assert allowed(LISTING, "dynamodb", "Query", TableName="keys", **query, ProjectionExpression="owner")


def test_neither_functions_nor_keywords_nor_values_are_attributes() -> None:
    update: dict[str, Any] = {
        "UpdateExpression": "SET owner = if_not_exists(owner, :ciphertext) REMOVE #s",
        "ConditionExpression": "attribute_exists(pk) AND NOT (owner IN (:a, :b)) OR begins_with(sk, :c)",
        "ExpressionAttributeNames": {"#s": "state"},
    }
    assert allowed(LISTING, "dynamodb", "UpdateItem", TableName="keys", Key=row("a"), **update)
    update["UpdateExpression"] += ", ciphertext"
    assert not allowed(LISTING, "dynamodb", "UpdateItem", TableName="keys", Key=row("a"), **update)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("ExecuteStatement", {"Statement": "SELECT * FROM keys"}),
        ("Query", {"TableName": "keys", "KeyConditions": {}}),
        ("GetItem", {"TableName": "elsewhere", "Key": row("a")}),
        ("GetItem", {"TableName": "keys", "Key": {"sk": {"S": "no partition key"}}}),
        ("Query", {"TableName": "keys", "KeyConditionExpression": "sk = :s"}),
    ],
)
def test_a_request_that_is_not_understood_asks_for_everything(operation: str, request_: dict[str, Any]) -> None:
    some, everything = template([allow("dynamodb:*", f"{TABLE}*")]), template([allow("dynamodb:*", "*")])
    assert not allowed(some, "dynamodb", operation, **request_)
    assert allowed(everything, "dynamodb", operation, **request_)


SEALING = template(
    [
        allow(
            ["kms:Encrypt", "kms:Decrypt"],
            KEY,
            StringEquals={"kms:EncryptionContext:tenant": "acme"},
            ForAllValues_StringEquals={"kms:EncryptionContextKeys": ["tenant", "version"]},
            Null={"kms:EncryptionContextKeys": "false"},
        )
    ]
)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"tenant": "acme", "version": "1"}, True),
        ({"tenant": "acme"}, True),
        ({"tenant": "rival", "version": "1"}, False),
        ({"version": "1"}, False),
        ({"tenant": "acme", "note": "more"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_kms_is_bound_to_the_encryption_context(context: dict[str, str] | None, expected: bool) -> None:
    request = {"KeyId": KEY} | ({} if context is None else {"EncryptionContext": context})
    assert allowed(SEALING, "kms", "Encrypt", **request) is expected


def test_a_ciphertext_names_its_key_when_the_request_does_not() -> None:
    ciphertext = "OGQ2YjFhNjYtMmYwYy00ZjUzLThmNmMtMGExYjJjM2Q0ZTVmIGFuZCB0aGUgcmVzdA=="
    context = {"tenant": "acme"}
    assert allowed(SEALING, "kms", "Decrypt", CiphertextBlob=ciphertext, EncryptionContext=context)
    assert not allowed(SEALING, "kms", "Decrypt", CiphertextBlob="!", EncryptionContext=context)
    assert not allowed(SEALING, "kms", "Decrypt", KeyId="alias/secrets", EncryptionContext=context)


ROOT = {"AWS": "arn:aws:iam::123456789012:root"}
DELEGATES = {"Effect": "Allow", "Principal": ROOT, "Action": ["kms:Encrypt"], "Resource": "*"}
NEEDS_TENANT = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "kms:*",
    "Resource": "*",
    "Condition": {"Null": {"kms:EncryptionContext:tenant": "true"}},
}


@pytest.mark.parametrize(
    ("own", "keys", "context", "expected"),
    [
        ([allow("kms:Encrypt", KEY)], [DELEGATES], {}, "allowed"),
        ([], [DELEGATES], {}, "implicit deny"),  # the account's other half is missing
        ([allow("kms:Encrypt", KEY)], [NEEDS_TENANT], {"tenant": "a"}, "implicit deny"),  # so is the key's
        ([allow("kms:Encrypt", KEY)], [DELEGATES, NEEDS_TENANT], {}, "explicit deny"),
        ([allow("kms:Encrypt", KEY)], [DELEGATES, NEEDS_TENANT], {"tenant": "a"}, "allowed"),
        ([], [{**DELEGATES, "Principal": "*"}], {}, "allowed"),  # the key names everybody
        ([], [{**DELEGATES, "Principal": {"AWS": [ROLE]}}], {}, "allowed"),
        ([], [{**DELEGATES, "Principal": {"AWS": ["arn:aws:iam::123456789012:role/other"]}}], {}, "implicit deny"),
        ([allow("kms:Encrypt", KEY)], [{**DELEGATES, "Principal": {"Service": "logs"}}], {}, "implicit deny"),
    ],
)
def test_a_keys_policy_binds_beside_the_roles(
    own: list[dict[str, Any]], keys: list[dict[str, Any]], context: dict[str, str], expected: str
) -> None:
    rules = template(own, keys)
    assert verdicts(rules, "kms", "Encrypt", KeyId=KEY, EncryptionContext=context) == [expected]


def test_a_deny_beats_every_allow() -> None:
    deny = {**allow("dynamodb:GetItem", f"{TABLE}*"), "Effect": "Deny"}
    rules = template([allow("dynamodb:*", "*"), deny])
    assert verdicts(rules, "dynamodb", "GetItem", TableName="keys", Key=row("a")) == ["explicit deny"]
    assert verdicts(rules, "dynamodb", "DescribeTable", TableName="keys") == ["allowed"]


@pytest.mark.parametrize(
    ("operator", "wanted", "expected"),
    [
        ("StringEquals", "OrderPlaced", True),
        ("StringEquals", "orderplaced", False),
        ("StringEqualsIgnoreCase", "orderplaced", True),
        ("StringNotEquals", "OrderPlaced", False),
        ("StringNotEquals", ["Other", "Third"], True),
        ("StringLike", "Order?laced", True),
        ("StringLike", "Order", False),
        ("StringNotLike", "Order*", False),
    ],
)
def test_operators_compare_as_named(operator: str, wanted: Any, expected: bool) -> None:
    rules = template([allow("events:PutEvents", "*", **{operator: {"events:detail-type": wanted}})])
    entry = {"Source": "keywright", "DetailType": "OrderPlaced", "EventBusName": "desk"}
    assert allowed(rules, "events", "PutEvents", Entries=[entry]) is expected


def test_every_entry_on_an_event_bus_is_asked_for() -> None:
    bus = "arn:aws:events:eu-west-1:123456789012:event-bus/desk"
    rules = template([allow("events:PutEvents", bus, StringEquals={"events:source": "keywright"})])
    ours = {"Source": "keywright", "DetailType": "x", "EventBusName": bus}
    assert allowed(rules, "events", "PutEvents", Entries=[ours])
    assert not allowed(rules, "events", "PutEvents", Entries=[ours, {**ours, "Source": "aws.fake"}])
    assert not allowed(rules, "events", "PutEvents", Entries=[ours, {**ours, "EventBusName": "default"}])


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "expected"),
    [
        ("Bool", "aws:SecureTransport", True, True),
        ("Bool", "aws:SecureTransport", "false", False),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/call*", True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:*role/caller", False),  # not across the colons
        ("ArnNotEquals", "aws:PrincipalArn", ROLE, False),
        ("StringEquals", "AWS:requestedregion", "eu-west-1", True),  # names of keys have no case
        ("StringEquals", "kms:ViaService", "dynamodb", False),  # absent
        ("StringEqualsIfExists", "kms:ViaService", "dynamodb", True),
        ("StringNotEquals", "kms:ViaService", "dynamodb", True),
        ("ForAnyValue_StringEquals", "dynamodb:Attributes", "pk", True),
        ("ForAnyValue_StringEquals", "ses:Recipients", "a@b.example", False),
        ("Null", "kms:ViaService", True, True),
    ],
)
def test_a_condition_knows_absent_keys_and_sets(operator: str, key: str, wanted: Any, expected: bool) -> None:
    rules = template([allow("dynamodb:GetItem", TABLE, **{operator: {key: wanted}})])
    assert allowed(rules, "dynamodb", "GetItem", TableName="keys", Key=row("a")) is expected


def test_actions_have_no_case_and_may_end_in_a_star() -> None:
    for action in ("DynamoDB:getitem", "dynamodb:Get*", "*"):
        assert allowed(template([allow(action)]), "dynamodb", "GetItem", TableName="keys", Key=row("a"))
    assert not allowed(template([allow("dynamodb:Put*")]), "dynamodb", "GetItem", TableName="keys", Key=row("a"))


def test_mail_is_bound_to_its_sender_its_identity_and_its_configuration_set() -> None:
    prefix = "arn:aws:ses:eu-west-1:123456789012"
    sender = {"ses:FromAddress": "desk@keys.example"}
    rules = template(
        [
            allow("ses:SendEmail", f"{prefix}:identity/keys.example", StringEquals=sender),
            allow("ses:SendEmail", f"{prefix}:identity/desk@mail.example"),
        ]
    )
    assert allowed(rules, "ses", "SendEmail", FromEmailAddress="Desk <desk@keys.example>")
    assert not allowed(rules, "ses", "SendEmail", FromEmailAddress="boss@keys.example")
    assert allowed(rules, "ses", "SendEmail", FromEmailAddress="desk@mail.example")  # an identity of its own
    assert not allowed(rules, "ses", "SendEmail", FromEmailAddress="boss@mail.example")
    request = {"FromEmailAddress": "desk@keys.example", "ConfigurationSetName": "desk"}
    assert verdicts(rules, "ses", "SendEmail", **request) == ["allowed", "implicit deny"]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (allow("dynamodb:GetItem", NumericLessThan={"dynamodb:LeadingKeys": "1"}), "operator NumericLessThan"),
        (allow("dynamodb:GetItem", ForSomeValues_StringEquals=LEADING), "operator ForSomeValues:StringEquals"),
        (allow("dynamodb:GetItem", StringEquals={"dynamodb:LeadingKey": "1"}), "key dynamodb:LeadingKey"),
        (allow("dynamodb:GetItem", StringLike=LEADING), "needs ForAllValues or ForAnyValue"),
        (allow("dynamodb:GetItem", StringEquals={"aws:PrincipalArn": "${aws:userid}"}), "policy variable"),
        ({"Effect": "Allow", "NotAction": "dynamodb:GetItem", "Resource": "*"}, "element NotAction"),
        ({"Effect": "Permit", "Action": "dynamodb:GetItem", "Resource": "*"}, "effect Permit"),
    ],
)
def test_what_is_not_understood_raises_when_it_is_read(statement: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=r"Caller, CanDoIt: not understood: ") as raised:
        Judge(template([statement]))
    assert said in str(raised.value)


def test_the_policies_of_the_bundle_are_understood() -> None:
    Judge(Template.load(Path(__file__).parents[3] / "template.yaml"))
