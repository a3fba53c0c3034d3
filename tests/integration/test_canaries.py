"""No secret leaves by another way than the answer that shows it: P7, T16, R16.

One run over every function with its committed event, and over the ways a request goes wrong, with all loggers at DEBUG.
Its canaries are all the secrets there are: whatever is sealed in the table afterwards is opened and looked for, in many
encodings, in every sink.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from keywright import edge, issuing
from keywright.model import KeyKind
from keywright.ports import Desk, SealedSecret
from local import demo
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.bundle import Bundle
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = ("moto", "werkzeug", "samtranslator", "local", "responses")
"""Loggers of what stands in for AWS, in this same process."""
SHOWN_BY_NATIVE = {"NativeCreateFirstOperator", "NativeCreateTenant", "NativeIssueKey", "NativeRotateKey"}
ECHOES = {"VoltmxDeleteAppApiKey", "VoltmxGetAppApiKeyDetails", "VoltmxModifyAppApiKey"}
"""In Volt MX the id of a key is its secret: who names a key by it reads it in the answer."""
DESCRIBES = {"NativeGetOpenapi"}
PUBLISHED = {value for name, value in vars(demo).items() if name.isupper() and isinstance(value, str)}
"""The demo tenant's credentials, which the description of the API has for examples."""


# --- looking -------------------------------------------------------------------------------------------------------


def in_base64(raw: bytes, offset: int, encode: Callable[[bytes], bytes]) -> str:
    """The letters that stand for `raw` wherever it begins at that offset, without those it shares with a neighbour."""
    letters = encode(b"\0" * offset + raw).decode()
    return letters[(0, 2, 3)[offset] : len(letters) - 4]


def spellings(secret: str) -> dict[str, str]:
    plain = unquote(secret)
    raw = plain.encode()
    found = {
        "as it is": secret,
        "decoded": plain,
        "percent-encoded": quote(secret, safe=""),
        "every letter percent-encoded": "".join(f"%{byte:02X}" for byte in raw),
        "in JSON": json.dumps(secret)[1:-1],
        "in hex": raw.hex(),
        "in capital hex": raw.hex().upper(),
        "in the other case": secret.swapcase(),
        "reversed": secret[::-1],
        "reversed, decoded": plain[::-1],
    }
    for offset in range(3):
        found[f"in base64 at {offset}"] = in_base64(raw, offset, base64.b64encode)
        found[f"in base64url at {offset}"] = in_base64(raw, offset, base64.urlsafe_b64encode)
    return found


def leaks(text: str, secrets: Mapping[str, str]) -> list[str]:
    """Which secrets are in the text, and how they are written there; never the secrets themselves."""
    return [
        f"{name}, {how}"
        for name, secret in secrets.items()
        for how, spelling in spellings(secret).items()
        if spelling in text
    ]


def texts(value: Any) -> Iterator[str]:
    """All that an item of DynamoDB says, on its wire: names, texts, numbers, and blobs byte by byte."""
    match value:
        case bytes():
            yield value.decode("latin-1")
        case dict():
            for name, each in value.items():
                yield str(name)
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)
        case _:
            yield str(value)


class Keeper(logging.Handler):
    """Keeps all that a record says and carries."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(NOT_OURS):
            told = logging.Formatter("%(name)s %(levelname)s %(message)s").format(record)
            self.kept.append(f"{told} {vars(record)!r}")


@contextlib.contextmanager
def everything_written() -> Iterator[tuple[Keeper, io.StringIO]]:
    """All loggers at DEBUG, but those that the product itself keeps higher; and what goes to stdout and stderr."""
    keeper, written, root = Keeper(), io.StringIO(), logging.getLogger()
    ours = logging.getLogger(edge.logger.service)
    assert ours.propagate
    levels = {logger: logger.level for logger in (root, ours)}
    streams = [each for each in ours.handlers if isinstance(each, logging.StreamHandler)]
    before = [handler.setStream(written) for handler in streams]
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    root.addHandler(keeper)
    try:
        with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
            yield keeper, written
    finally:
        for handler, stream in zip(streams, before, strict=True):
            handler.setStream(stream)
        root.removeHandler(keeper)
        for logger, level in levels.items():
            logger.setLevel(level)


# --- the run -------------------------------------------------------------------------------------------------------


@dataclass
class Run:
    stack: Stack
    secrets: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, str]] = field(default_factory=list)
    """The function, and all that it answered."""
    logs: list[str] = field(default_factory=list)
    written: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


@pytest.fixture(scope="module", params=["lean", "boto3"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    parameters = {"Stage": "local", "AwsClient": request.param}
    with Stack.from_template(ROOT / "template.yaml", parameters, account="666677778888") as stack:
        demo.seed(stack)
        done = Run(stack)
        bundle, admin = Bundle(stack), demo.desk(stack)
        with everything_written() as (keeper, written):
            world = World(admin)
            issue_by_the_core(world)
            issue_by_the_native_api(done, bundle, world)
            hand_over_and_ask_again(done, bundle, world)
            if request.param == "lean":  # what boto3 would write of it, the other requests show as well
                answer_the_committed_events(done, bundle)
            go_wrong(done, bundle, world)
        done.logs, done.written, done.calls = keeper.kept, written.getvalue(), list(stack.aws.calls)
        table = next(iter(stack.template.tables.values())).name
        for page in stack.client("dynamodb").get_paginator("scan").paginate(TableName=table):
            done.items += page["Items"]
        done.secrets |= sealed_in(done.items, admin)
        done.secrets |= {"the demo operator's token": demo.OPERATOR_TOKEN, "a world's token": world.operator_token}
        yield done


def issue_by_the_core(world: World) -> None:
    opened = world.channel(world.app())
    for _ in range(3):
        key = world.key(opened.key.id)
        issuing.issue_version(world.desk, world.principal, key, creator=key.creator)


def issue_by_the_native_api(done: Run, bundle: Bundle, world: World) -> None:
    """A key of every kind, then each deed to all of them: whoever changes from function to function waits for it."""
    app, rep = world.app(), world.rep()
    bot = world.integration(app)
    owners = {KeyKind.REP_KEY: rep, KeyKind.APP_SECRET: app, KeyKind.APP_API_KEY: app, KeyKind.INTEGRATION_SECRET: bot}
    issued: dict[str, tuple[str, str]] = {}
    for kind in (kind for kind in KeyKind if "access_key" not in kind):
        owner = owners.get(kind, world.operator)
        order: dict[str, Any] = {"owner": {"kind": owner.kind, "id": owner.id}, "kind": kind}
        if kind is KeyKind.REFRESH_TOKEN:
            order["client_id"] = issued[KeyKind.OAUTH_CLIENT][0]
        answer = bundle.request("POST", "/v1/keys", world.bearer, json_body=order)
        assert answer.status == 201, answer.text
        issued[kind] = answer.json()["id"], answer.json()["token"]
        done.secrets[f"{kind} by the native API"] = answer.json()["token"]
    for key_id, token in issued.values():
        for credential in ({"token": token}, {"key_id": key_id, "secret": token}):
            ask(done, bundle, "POST", "/v1/keys/verify", world.bearer, json_body=credential)
    for method, deed in (("GET", ""), ("POST", "/disable"), ("POST", "/enable")):
        for key_id, _ in issued.values():
            ask(done, bundle, method, f"/v1/keys/{key_id}{deed}", world.bearer)
    for owner in {world.operator, app, rep, bot}:
        ask(done, bundle, "GET", f"/v1/keys?owner_kind={owner.kind}&owner_id={owner.id}", world.bearer)
    body = {"kind": "channel", "app_id": app.id, "platform": "ios", "bundle_name": "com.example"}
    ask(done, bundle, "POST", "/v1/owners", world.bearer, json_body=body)


def hand_over_and_ask_again(done: Run, bundle: Bundle, world: World) -> None:
    """By one-time links, whose tokens stand in a path; and under idempotency keys, for which answers are kept."""
    order = {"owner": {"kind": "operator", "id": world.operator.id}}

    def ordered(key: str, **more: Any) -> Any:
        headers = {**world.bearer, "Idempotency-Key": key}
        first, *again = [bundle.request("POST", "/v1/keys", headers, json_body={**order, **more}) for _ in range(3)]
        assert first.status == 201, first.text
        assert {answer.body for answer in again} == {first.body}
        ask(done, bundle, "POST", "/v1/keys", headers, json_body={**order, "description": "another"})
        return first.json()

    done.secrets["a token under an idempotency key"] = ordered("a-token")["token"]
    token = ordered("a-link", hand_over={})["link"]["url"].rpartition("/")[2]
    done.secrets["the token of a link"] = token
    ask(done, bundle, "GET", f"/h/{token}", {})
    secret = bundle.request("POST", f"/h/{token}").text.partition("<code>")[2].partition("</code>")[0]
    done.secrets["what a link showed"] = secret
    for method, path in (("POST", token), ("GET", token), ("GET", f"{token}/x"), ("DELETE", token), ("GET", secret)):
        ask(done, bundle, method, f"/h/{path}", {})


def answer_the_committed_events(done: Run, bundle: Bundle) -> None:
    functions = {each.handler: name for name, each in done.stack.template.functions.items()}
    for path in sorted((ROOT / "events").glob("*/*.json")):
        name = functions[f"{path.parent.name}.{path.stem}.handler"]
        done.answers.append((name, json.dumps(bundle.invoke(name, json.loads(path.read_text())).payload)))


def go_wrong(done: Run, bundle: Bundle, world: World) -> None:
    """The ways in which a secret that was presented comes near an error."""
    secret = world.issue(KeyKind.NATIVE, world.operator.ref).token.reveal()
    done.secrets["what was presented wrongly"] = secret
    wrongly: list[tuple[str, str, dict[str, str], Any]] = [
        ("POST", "/v1/keys/verify", world.bearer, {"token": [secret]}),
        ("POST", "/v1/keys/verify", world.bearer, {"token": secret, "secret": secret}),
        ("POST", "/v1/keys/verify", world.bearer, f'{{"token": "{secret}"'),
        ("POST", "/v1/keys/verify", world.bearer, f'{{"token": "{secret}", "token": "{secret}"}}'),
        (
            "POST",
            "/v1/keys",
            world.bearer,
            {"owner": secret, "scopes": [secret], "kind": secret, "description": [secret]},
        ),
        ("GET", f"/v1/keys/{secret}", world.bearer, None),
        ("GET", f"/v1/keys?owner_kind={secret}&owner_id={secret}", world.bearer, None),
        ("GET", f"/v1/nothing/{secret}?apikey={secret}", {}, None),
        ("GET", "/v1/keys", {"Authorization": f"Basic {secret}"}, None),
        ("POST", f"/api/v1/applications/key/{secret}?key={secret}", {"X-VoltMX-Authorization": secret}, None),
        ("POST", f"/api/json/nothing?apikey={secret}", {"TECHNICIAN_KEY": secret}, None),
        ("GET", f"/v2/apps/{secret}", {"Authorization": f"Bearer {secret}"}, None),
        ("GET", f"/api/v2/orchard-labs/{secret}", {"Authorization": f"Zoho-oauthtoken {secret}"}, None),
    ]
    for method, target, headers, body in wrongly:
        given = {"body": body} if isinstance(body, str) else {"json_body": body}
        ask(done, bundle, method, target, headers, **given)
    order = {"owner": {"kind": "operator", "id": "operator"}, "description": "while AWS is at fault"}
    for operation in ("GetItem", "Encrypt", "TransactWriteItems"):
        for fault in (Fault(error("ValidationException", 400, f"{secret} is no key")), Fault(None)):
            done.stack.aws.fault = at(operation, fault)
            ask(done, bundle, "POST", "/v1/keys", world.bearer, json_body=order)
    done.stack.aws.fault = lambda _: None


def at(operation: str, fault: Fault) -> Callable[[Call], Fault | None]:
    return lambda call: fault if call.operation == operation else None


def ask(done: Run, bundle: Bundle, method: str, target: str, headers: dict[str, str], **given: Any) -> None:
    answer = bundle.request(method, target, headers, **given)
    done.answers.append((f"{method} {target.partition('?')[0]}", f"{answer.text} {dict(answer.headers)}"))


def sealed_in(items: list[dict[str, Any]], admin: Desk) -> dict[str, str]:
    """Every secret that the table holds, opened with an administrator's rights."""
    found: dict[str, str] = {}
    for item in items:
        if item["sk"]["S"] == "KEY":
            key_id, tenant = item["id"]["S"], item["owner"]["M"]["tenant"]["S"]
            for each in item["versions"]["L"]:
                version, sealed = int(each["M"]["number"]["N"]), each["M"]["sealed"]["B"]
                (token,) = admin.vault.reveal([SealedSecret(tenant, key_id, version, sealed)])
                found[f"{item['kind']['S']} {key_id} {version}"] = token.reveal()
        elif "pairing" in item:
            pairing_id, sealed = item["pairing_id"]["S"], item["pairing"]["M"]["ciphertext"]["B"]
            (token,) = admin.vault.reveal([SealedSecret(item["tenant"]["S"], pairing_id, 1, sealed)])
            found[f"pairing {pairing_id}"] = token.reveal()
    return found


# --- the sinks -----------------------------------------------------------------------------------------------------


def test_the_run_made_secrets_of_every_kind(run: Run) -> None:
    made = {name.split()[0] for name in run.secrets}
    assert {*KeyKind, "pairing"} <= made
    assert len(set(run.secrets.values())) >= 20
    assert len(run.logs) >= 60
    assert len(run.answers) >= 60


def test_no_log_record_holds_a_secret(run: Run) -> None:
    assert leaks("\n".join(run.logs), run.secrets) == []


def test_nothing_that_is_written_to_stdout_or_stderr_holds_a_secret(run: Run) -> None:
    assert '"_aws"' in run.written
    assert '"message":"answered"' in run.written
    assert '"message":"fault"' in run.written
    assert leaks(run.written, run.secrets) == []


def test_no_stored_attribute_holds_a_secret(run: Run) -> None:
    """Not even the ciphertext, whose bytes are looked at too."""
    assert leaks("\n".join(text for item in run.items for text in texts(item)), run.secrets) == []


def test_no_call_of_aws_holds_a_secret_but_the_one_that_seals_it(run: Run) -> None:
    told = []
    for call in run.calls:
        request = dict(call.request)
        if call.operation == "Encrypt":
            assert request.pop("Plaintext")
        told.append(json.dumps(request))
    assert leaks("\n".join(told), run.secrets) == []


def test_no_native_answer_holds_a_secret_but_those_that_issue(run: Run) -> None:
    ours = ("Native", "GET /v1", "POST /v1")
    told = [text for name, text in run.answers if name.startswith(ours) and name not in DESCRIBES]
    kept = [text for name, text in run.answers if name in SHOWN_BY_NATIVE]
    assert leaks("\n".join(text for text in told if text not in kept), run.secrets) == []
    assert all(leaks(text, run.secrets) for text in kept)


def test_no_answer_of_a_function_that_can_neither_seal_nor_reveal_holds_a_secret(run: Run) -> None:
    functions = run.stack.template.functions.items()
    able = {name for name, each in functions if any("kms:" in json.dumps(policy.document) for policy in each.policies)}
    told = [text for name, text in run.answers if name not in able | ECHOES | DESCRIBES]
    assert len(told) >= 50
    assert leaks("\n".join(told), run.secrets) == []


def test_the_description_of_the_api_shows_published_credentials_alone(run: Run) -> None:
    described = [text for name, text in run.answers if name in DESCRIBES]
    unpublished = {name: secret for name, secret in run.secrets.items() if secret not in PUBLISHED}
    assert leaks("\n".join(described), unpublished) == []


# --- the look is no idle one ---------------------------------------------------------------------------------------

PLANTED = {
    "a token": "kw_live_PlantedForTheScannerAndForNothingElse00000000000",
    "an access key": "Zm9v%2Bbar%2Fbaz%3D%3D",
}


@pytest.mark.parametrize("how", spellings(PLANTED["a token"]))
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_is_found_in_every_encoding(name: str, how: str) -> None:
    spelling = spellings(PLANTED[name])[how]
    assert any(each.startswith(name) for each in leaks(f"before {spelling} after", PLANTED))


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_a_planted_secret_is_found_in_base64_at_any_offset(before: str) -> None:
    secret = PLANTED["a token"]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert leaks(encode(f"{before}{secret}, and more".encode()).decode(), PLANTED)
    assert not leaks(base64.b64encode(b"nothing of the kind").decode(), PLANTED)


@pytest.mark.parametrize(
    "plant",
    [
        lambda secret: logging.getLogger("keywright").debug(secret),
        lambda secret: logging.getLogger("keywright").info("issued", extra={"token": secret}),
        lambda secret: logging.getLogger("some.library").debug("sent %s", [secret]),
        lambda secret: logging.getLogger("keywright").error("failed", exc_info=ValueError(secret)),
        lambda secret: sys.stdout.write(f"{secret}\n"),
    ],
    ids=["message", "extra", "another logger", "exception", "stdout"],
)
def test_a_planted_leak_is_found_in_what_is_logged_or_written(plant: Callable[[str], object]) -> None:
    with everything_written() as (keeper, written):
        plant(PLANTED["a token"])
    assert leaks("\n".join([*keeper.kept, written.getvalue()]), PLANTED)


@pytest.mark.parametrize(
    "value",
    [
        {"S": PLANTED["a token"]},
        {"B": PLANTED["a token"].encode()},
        {"M": {"deep": {"L": [{"S": f"x{PLANTED['a token']}"}]}}},
        {"M": {PLANTED["a token"]: {"N": "1"}}},
        {"SS": [PLANTED["a token"][::-1]]},
    ],
    ids=["text", "blob", "nested", "name", "set"],
)
def test_a_planted_leak_is_found_in_an_attribute(value: dict[str, Any]) -> None:
    assert leaks("\n".join(texts({"attribute": value})), PLANTED)


def test_botocores_own_records_would_leak_and_are_kept_from_it(stack: Stack) -> None:
    botocore = logging.getLogger("botocore")
    assert botocore.level == logging.INFO
    secret = PLANTED["a token"]
    key = next(iter(stack.template.keys.values())).arn

    def seal() -> str:
        with everything_written() as (keeper, written):
            context = {"tenant": "t", "key_id": "k", "version": "1"}
            stack.client("kms").encrypt(KeyId=key, Plaintext=secret.encode(), EncryptionContext=context)
        return "\n".join([*keeper.kept, written.getvalue()])

    assert leaks(seal(), PLANTED) == []
    botocore.setLevel(logging.DEBUG)
    try:
        assert leaks(seal(), PLANTED)
    finally:
        botocore.setLevel(logging.INFO)
