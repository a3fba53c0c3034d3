"""The edge around toy endpoints of the native surface, on fakes."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Annotated, Any, cast

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Form
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError, ConnectTimeoutError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keywright import bootstrap, edge, errors
from keywright.dialects.native import SURFACE
from keywright.edge import (
    FORM,
    JSON,
    LARGEST_BODY,
    CatchAll,
    CurrentDesk,
    CurrentPrincipal,
    CurrentReading,
    Endpoint,
    PathParameters,
    Request,
    refusals_of,
)
from keywright.ports import Stale, TenantRef
from local.gateway import Router, http_event, split_target
from local.server import Request as HttpRequest
from local.template import Route
from tests.fakes import Fakes
from tests.world import World

CANARY = "kw_test_ThisIsTheSecretThatMustNotBeToldToAnybody0000000"
CONTEXT = cast("LambdaContext", SimpleNamespace(aws_request_id="request-1"))
FAULT = {"type": "urn:keywright:problem:fault", "title": errors.Fault.message, "status": 500}


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    id: str


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: Annotated[str, Field(min_length=1, max_length=5)]
    count: int = 0
    inner: Inner | None = None
    tags: list[str] = []


Deed = Callable[[], object]
Ask = Callable[..., dict[str, Any]]


def event(method: str, target: str, headers: dict[str, str], body: bytes, route: str) -> dict[str, Any]:
    path, query = split_target(target)
    match = Router([Route(method, route, "Toy")]).match(method, path)
    assert match is not None
    return http_event(HttpRequest(method, target, tuple(headers.items()), body), match, path, query)


@pytest.fixture
def at_desk(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    monkeypatch.setattr(bootstrap, "desk", lambda: fakes.desk)
    return fakes


@pytest.fixture
def serve(at_desk: Fakes, world: World) -> Callable[..., Ask]:
    """An endpoint at POST /v1/things/{id} around a deed; then requests to it, from an operator unless they say else."""

    def serving(deed: Deed = lambda: None, **options: Any) -> Ask:
        endpoint = Endpoint(SURFACE, **{"body": JSON, **options})

        @endpoint.app.post("/v1/things/<id>")
        def post(body: Thing, path: PathParameters, caller: CurrentPrincipal, desk: CurrentDesk) -> dict[str, str]:
            assert (caller, desk.stage) == (world.principal, "test")
            made = deed()
            return cast("dict[str, str]", made) if made is not None else {"id": path["id"], "name": body.name}

        def ask(
            body: bytes | str = '{"name": "Ama"}', *, target: str = "/v1/things/1", **headers: str | None
        ) -> dict[str, Any]:
            given: dict[str, str | None] = {
                "content_type": JSON,
                "authorization": world.bearer["Authorization"],
                **headers,
            }
            named = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
            raw = body.encode() if isinstance(body, str) else body
            return endpoint(event("POST", target, named, raw, "/v1/things/{id}"), CONTEXT)

        at_desk.store.calls.clear()
        return ask

    return serving


@pytest.fixture
def lines() -> Iterator[Callable[[], str]]:
    """What our logger wrote."""
    written = io.StringIO()
    streams = [each for each in logging.getLogger("keywright").handlers if isinstance(each, logging.StreamHandler)]
    assert streams
    before = [handler.setStream(written) for handler in streams]
    yield written.getvalue
    for handler, stream in zip(streams, before, strict=True):
        handler.setStream(stream)


def slug(answer: dict[str, Any]) -> str:
    told: str = json.loads(answer["body"])["type"]
    return told.removeprefix("urn:keywright:problem:")


# --- a request that is in order ------------------------------------------------------------------------------------


def test_a_request_in_order_is_answered(serve: Callable[..., Ask], at_desk: Fakes) -> None:
    answer = serve()(target="/v1/things/a%20b")
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"id": "a b", "name": "Ama"})
    assert answer["headers"]["Content-Type"] == JSON
    assert at_desk.store.calls == ["read"]


def test_an_answer_is_a_payload_of_format_2_0_and_is_not_kept_by_caches(serve: Callable[..., Ask]) -> None:
    def broken() -> object:
        raise ZeroDivisionError

    asked = [
        serve()(),
        serve()(body="{}"),
        serve()(body="{"),
        serve()(authorization=None),
        serve(broken)(),
        serve()(target="/v1/things/%0A"),
    ]
    assert [answer["statusCode"] for answer in asked] == [200, 422, 400, 401, 500, 404]
    for answer in asked:
        assert {"statusCode", "headers", "body", "isBase64Encoded"} <= answer.keys() <= {*answer, "cookies"}
        assert answer["headers"]["Cache-Control"] == "no-store"
        assert all(isinstance(value, str) for value in answer["headers"].values())
        assert isinstance(answer["body"], str)
        assert answer["isBase64Encoded"] is False
        assert json.loads(json.dumps(answer)) == answer


def test_what_an_endpoint_names_early_is_read_together_with_the_caller(at_desk: Fakes, world: World) -> None:
    endpoint = Endpoint(SURFACE, reads=lambda _: [TenantRef(world.tenant)])

    @endpoint.app.get("/v1/tenant")
    def get(read: CurrentReading) -> dict[str, str]:
        return {"name": read[TenantRef(world.tenant)].name}

    at_desk.store.calls.clear()
    answer = endpoint(event("GET", "/v1/tenant", world.bearer, b"", "/v1/tenant"), CONTEXT)
    assert json.loads(answer["body"]) == {"name": "Orchard Labs"}
    assert at_desk.store.calls == ["read"]


# --- the order of the steps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["{", "[]", "", '{"name": 5}', "x" * (LARGEST_BODY + 1), b"\xff"])
def test_a_stranger_learns_nothing_from_validation(
    serve: Callable[..., Ask], at_desk: Fakes, body: str | bytes
) -> None:
    for credential in (None, "", "Basic eDp5", "Bearer", "Bearer garbage", "Bearer a b"):
        answer = serve()(body=body, authorization=credential)
        assert answer["statusCode"] == 401
        assert answer["headers"]["WWW-Authenticate"] == 'Bearer realm="keywright"'
        assert at_desk.store.calls == []


@pytest.mark.parametrize(
    "target", ["/v1/things/1%0a", "/v1/things/%00", "/v1/things/%7F", "/v1/things/a%C2%85b", "/v1/things/a\x0bb"]
)
def test_an_address_with_a_control_character_is_nobodys_whoever_asks(
    serve: Callable[..., Ask], at_desk: Fakes, target: str
) -> None:
    for credential in (None, world_of(at_desk)):
        answer = serve()(target=target, authorization=credential)
        assert (answer["statusCode"], slug(answer)) == (404, "path-unknown")
    assert at_desk.store.calls == []


@pytest.mark.parametrize("path", ["/v1/things/1%0a", "/v1/things%7F", "/v1/things\x00"])
def test_it_is_nobodys_though_no_variable_of_the_path_has_it(path: str) -> None:
    """As from a gateway that decodes the variables in another way than Powertools, which takes the raw path."""
    asked = event("GET", "/v1/things/1", {}, b"", "/v1/things/{thing}") | {"rawPath": path}
    with pytest.raises(errors.PathUnknown):
        edge.check_characters(Request(asked))


def world_of(fakes: Fakes) -> str:
    """The credential of somebody who would be let in."""
    return World(fakes.desk).bearer["Authorization"]


def test_the_subject_is_located_after_the_caller_and_before_the_body(serve: Callable[..., Ask]) -> None:
    def locate(*_: object) -> None:
        raise errors.AppNotFound

    ask = serve(locate=locate)
    assert slug(ask(authorization="Bearer x")) == "credentials-refused"
    assert slug(ask(body="{", content_type="text/plain")) == "owner-not-found"


# --- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ("", "body-unreadable"),
        ("{", "body-unreadable"),
        ("[]", "body-unreadable"),
        ('[{"name": "Ama"}]', "body-unreadable"),
        ("null", "body-unreadable"),
        ('"Ama"', "body-unreadable"),
        ('{"name": "Ama", "name": "Eva"}', "body-unreadable"),
        ('{"name": "Ama", "count": NaN}', "body-unreadable"),
        ('{"name": "Ama", "count": 1e400}', "body-unreadable"),
        ('{"name": "Ama", "count": ' + "9" * 5000 + "}", "body-unreadable"),
        ("[" * 100_00 + "]" * 100_00, "body-unreadable"),
        ('{"name": ' + "[" * 8 + "]" * 8 + "}", "body-unreadable"),
        (b"\xff\xfe", "body-unreadable"),
        (b'{"name": "\xe9"}', "body-unreadable"),
        (b'\xef\xbb\xbf{"name": "Ama"}', "body-unreadable"),
        ("{}", "field-missing"),
        ('{"name": "Ama", "nam": 1}', "field-unknown"),
        ('{"name": "Ama", "count": "1"}', "field-invalid"),
        ('{"name": "Ama", "count": true}', "field-invalid"),
        ('{"name": "Ama", "count": 1.0}', "field-invalid"),
        ('{"name": ""}', "field-invalid"),
        ('{"name": "abcdef"}', "field-invalid"),
        ('{"name": "\\ud800"}', "field-invalid"),
        ("x" * LARGEST_BODY, "body-unreadable"),
        ("x" * (LARGEST_BODY + 1), "body-too-large"),
        ("\N{GRINNING FACE}" * (LARGEST_BODY // 4 + 1), "body-too-large"),
    ],
    ids=range(26),
)
def test_a_body_that_is_not_in_order_is_refused_and_nothing_is_done(
    serve: Callable[..., Ask], body: str | bytes, refusal: str
) -> None:
    done: list[object] = []
    assert slug(serve(lambda: done.append(1))(body=body)) == refusal
    assert done == []


def test_a_body_of_just_64_kb_is_read(serve: Callable[..., Ask]) -> None:
    body = '{"name": "Ama"}'
    assert serve()(body=body + " " * (LARGEST_BODY - len(body)))["statusCode"] == 200


@pytest.mark.parametrize("content_type", [JSON, "APPLICATION/JSON", "application/json; charset=utf-8", None])
def test_json_is_read_under_any_spelling_of_its_type_and_under_none(
    serve: Callable[..., Ask], content_type: str | None
) -> None:
    assert serve()(content_type=content_type)["statusCode"] == 200


@pytest.mark.parametrize("content_type", ["text/plain", FORM, "application/jsonx", "", "application/json,text/plain"])
def test_another_content_type_is_refused(serve: Callable[..., Ask], content_type: str) -> None:
    answer = serve()(content_type=content_type)
    assert (answer["statusCode"], slug(answer)) == (415, "content-type-refused")


def test_a_body_in_base64_is_the_same_body(serve: Callable[..., Ask], world: World) -> None:
    endpoint = Endpoint(SURFACE, body=JSON)

    @endpoint.app.post("/v1/things")
    def post(body: Thing) -> dict[str, str]:
        return {"name": body.name}

    asked = event("POST", "/v1/things", {**world.bearer, "content-type": JSON}, b'{"name": "Ama"}', "/v1/things")
    encoded = {**asked, "body": base64.b64encode(asked["body"].encode()).decode(), "isBase64Encoded": True}
    assert endpoint(encoded, CONTEXT)["statusCode"] == 200
    broken = endpoint({**encoded, "body": "A"}, CONTEXT)
    assert (broken["statusCode"], slug(broken)) == (400, "body-unreadable")


def test_an_absent_body_counts_as_an_empty_object_where_the_endpoint_says_so(serve: Callable[..., Ask]) -> None:
    assert slug(serve(may_be_empty=True)(body="")) == "field-missing"
    assert slug(serve(may_be_empty=True)(body="", content_type="text/plain")) == "field-missing"
    assert slug(serve(may_be_empty=True)(body=" ")) == "body-unreadable"
    assert slug(serve(may_be_empty=True)(body="x", content_type="text/plain")) == "content-type-refused"


@pytest.fixture
def ask_form(at_desk: Fakes, world: World) -> Ask:
    endpoint = Endpoint(SURFACE, body=FORM)

    @endpoint.app.post("/v1/things")
    def post(name: Annotated[str, Form(max_length=5)]) -> dict[str, str]:
        return {"name": name}

    def ask(body: str | bytes, content_type: str = FORM) -> dict[str, Any]:
        raw = body.encode() if isinstance(body, str) else body
        headers = {**world.bearer, "content-type": content_type}
        return endpoint(event("POST", "/v1/things", headers, raw, "/v1/things"), CONTEXT)

    return ask


@pytest.mark.parametrize(
    ("body", "name"),
    [("name=Ama", "Ama"), ("name=A+a", "A a"), ("name=%C3%A9", "é"), ("a=1&name=Ama&b=", "Ama"), ("name=", "")],
)
def test_a_form_is_read_and_its_unknown_fields_are_ignored(ask_form: Ask, body: str, name: str) -> None:
    assert json.loads(ask_form(body)["body"]) == {"name": name}


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        ("", FORM, "body-unreadable"),
        ("name=Ama&name=Eva", FORM, "field-invalid"),
        ("a=1&name=Ama&a=1", FORM, "field-invalid"),
        ("name=%FF", FORM, "body-unreadable"),
        ("&".join(f"f{number}=1" for number in range(101)), FORM, "body-unreadable"),
        ("name=abcdef", FORM, "field-invalid"),
        ("other=1", FORM, "field-missing"),
        ('{"name": "Ama"}', JSON, "content-type-refused"),
        ("name=Ama", "text/plain", "content-type-refused"),
        ("name=" + "x" * LARGEST_BODY, FORM, "body-too-large"),
    ],
    ids=range(10),
)
def test_a_form_that_is_not_in_order_is_refused(ask_form: Ask, body: str, content_type: str, refusal: str) -> None:
    assert slug(ask_form(body, content_type)) == refusal


# --- somebody else changed it meanwhile ----------------------------------------------------------------------------


@pytest.mark.parametrize("times", range(5))
def test_a_stale_deed_is_done_again_from_the_reading_on(serve: Callable[..., Ask], at_desk: Fakes, times: int) -> None:
    left = iter([Stale] * times)

    def deed() -> None:
        if stale := next(left, None):
            raise stale

    assert serve(deed)()["statusCode"] == 200
    assert at_desk.store.calls == ["read"] * (times + 1)


def test_a_deed_that_stays_stale_is_a_conflict(serve: Callable[..., Ask], at_desk: Fakes) -> None:
    def deed() -> None:
        raise Stale

    answer = serve(deed)()
    assert (answer["statusCode"], slug(answer)) == (409, "conflict")
    assert len(at_desk.store.calls) == 5


def test_a_subject_that_went_stale_is_located_again(serve: Callable[..., Ask]) -> None:
    left = iter([Stale])

    def locate(*_: object) -> None:
        if stale := next(left, None):
            raise stale

    assert serve(locate=locate)()["statusCode"] == 200


# --- faults --------------------------------------------------------------------------------------------------------


def client_error() -> Exception:
    return ClientError({"Error": {"Code": "ValidationException", "Message": CANARY}}, "GetItem")


def chained() -> Exception:
    try:
        try:
            raise client_error()
        except ClientError as cause:
            raise KeyError(CANARY) from cause
    except KeyError as told:
        return told


def validation_error() -> Exception:
    try:
        Thing.model_validate({"name": CANARY})
    except ValidationError as told:
        return told
    raise AssertionError


RAISED: dict[str, Callable[[], Exception]] = {
    "a value error": lambda: ValueError(CANARY),
    "a key error with a cause": chained,
    "an error of AWS": client_error,
    "no answer of AWS": lambda: ConnectTimeoutError(endpoint_url=CANARY),
    "a recursion": lambda: RecursionError(CANARY),
    "a wrong model": validation_error,
    "an odd response": lambda: type("Odd", (Exception,), {"response": CANARY})(CANARY),
}


@pytest.mark.parametrize("name", RAISED)
@pytest.mark.parametrize("where", ["deed", "locate"])
def test_a_fault_is_told_to_nobody_but_the_log_and_its_message_not_even_to_it(
    serve: Callable[..., Ask], lines: Callable[[], str], name: str, where: str
) -> None:
    def fail(*_: object) -> None:
        error = RAISED[name]()
        raise error

    answer = serve(fail)() if where == "deed" else serve(locate=fail)()
    assert (answer["statusCode"], json.loads(answer["body"])) == (500, FAULT)
    assert CANARY not in lines()
    assert type(RAISED[name]()).__name__ in lines()
    assert "test_edge.py" in lines()


def test_the_code_of_an_aws_error_is_logged(serve: Callable[..., Ask], lines: Callable[[], str]) -> None:
    def fail() -> None:
        raise errors.Unavailable from client_error()

    answer = serve(fail)()
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")
    fault = json.loads(lines().splitlines()[0])
    assert [each["error"] for each in fault["chain"]] == ["Unavailable", "ClientError"]
    assert fault["chain"][1]["code"] == "ValidationException"


def test_a_chain_without_end_is_cut_off(lines: Callable[[], str]) -> None:
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    edge.note_fault(first)
    assert len(json.loads(lines())["chain"]) == 5


def test_an_answer_that_fails_its_own_model_is_our_fault(serve: Callable[..., Ask], lines: Callable[[], str]) -> None:
    answer = serve(lambda: {"name": [CANARY]})()
    assert (answer["statusCode"], json.loads(answer["body"])) == (500, FAULT)
    assert CANARY not in lines()


def test_a_refusal_of_the_core_is_the_answer_and_no_fault(serve: Callable[..., Ask], lines: Callable[[], str]) -> None:
    def refuse() -> None:
        raise errors.KeyRevoked

    assert serve(refuse)()["statusCode"] == 409
    assert '"level":"ERROR"' not in lines()


def test_a_store_that_is_down_is_unavailable(serve: Callable[..., Ask], at_desk: Fakes) -> None:
    ask = serve()
    at_desk.store.down = True
    answer = ask()
    assert (answer["statusCode"], slug(answer), answer["headers"]["Retry-After"]) == (503, "unavailable", "1")


def test_the_log_has_the_route_and_never_the_path_the_query_a_header_or_the_body(
    serve: Callable[..., Ask], lines: Callable[[], str], world: World
) -> None:
    serve()(target=f"/v1/things/{CANARY}?key={CANARY}", x_api_key=CANARY)
    serve()(body=json.dumps({"name": CANARY, CANARY: CANARY}))
    answered = [json.loads(line) for line in lines().splitlines()]
    assert [(each["message"], each["route"], each["status"]) for each in answered] == [
        ("answered", "POST /v1/things/{id}", 200),
        ("answered", "POST /v1/things/{id}", 422),
    ]
    assert CANARY not in lines()
    assert world.operator_token not in lines()


def test_every_answer_is_counted(serve: Callable[..., Ask], capsys: pytest.CaptureFixture[str]) -> None:
    serve()()
    serve(lambda: 1 / 0)()
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [(each["surface"], each["Answers"], each["Faults"]) for each in counted] == [
        ("native", [1.0], [0.0]),
        ("native", [1.0], [1.0]),
    ]


# --- the catch-all -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target", "refusal"),
    [
        ("GET", "/v1", "path-unknown"),
        ("GET", "/v1/", "path-unknown"),
        ("GET", "/v1/nothing", "path-unknown"),
        ("GET", "/v1/keys/", "path-unknown"),
        ("GET", "/v1//keys", "path-unknown"),
        ("GET", "/v1/keys/1/2", "path-unknown"),
        ("DELETE", "/v1/keys", "method-refused"),
        ("DELETE", "/v1/keys/1", "method-refused"),
        ("PUT", "/v1/keys/1/disable", "method-refused"),
        ("DELETE", "/v1/keys/%0a", "path-unknown"),
        ("GET", "/v1/%2e%2e/keys", "path-unknown"),
    ],
)
def test_the_catch_all_tells_a_wrong_method_from_an_unknown_path_and_asks_nobody(
    at_desk: Fakes, method: str, target: str, refusal: str
) -> None:
    routes = [("GET", "/v1/keys"), ("GET", "/v1/keys/{key_id}"), ("POST", "/v1/keys/{key_id}/disable")]
    catch_all = CatchAll(SURFACE, routes)
    answer = catch_all(event(method, target, {}, b"", "/v1" if target == "/v1" else "/{proxy+}"), CONTEXT)
    assert slug(answer) == refusal
    assert answer["statusCode"] == (405 if refusal == "method-refused" else 404)
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert at_desk.store.calls == []


# --- refusals_of ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, [(errors.FieldMissing, "name")]),
        ({"name": "Ama", "inner": {}}, [(errors.FieldMissing, "inner.id")]),
        ({"name": "Ama", "inner": {"id": "1", "x": 1}}, [(errors.FieldUnknown, "inner.x")]),
        ({"name": "Ama", "x": 1}, [(errors.FieldUnknown, "x")]),
        ({"name": "Ama", "tag": 1}, [(errors.FieldUnknown, "tag")]),
        ({"name": ""}, [(errors.TooShort, "name")]),
        ({"name": "abcdef"}, [(errors.TooLong, "name")]),
        ({"name": 5}, [(errors.WrongType, "name")]),
        ({"name": "Ama", "tags": ["a", 1]}, [(errors.WrongType, "tags[1]")]),
        ({"name": "Ama", "inner": []}, [(errors.WrongType, "inner")]),
        (
            {"count": "x", "y": 1},
            [(errors.FieldMissing, "name"), (errors.WrongType, "count"), (errors.FieldUnknown, "y")],
        ),
        ([], [(errors.BodyUnreadable, None)]),
        (None, [(errors.BodyUnreadable, None)]),
    ],
    ids=range(13),
)
@pytest.mark.parametrize("source", [(), ("body",)], ids=["bare", "body"])
def test_findings_of_pydantic_are_errors_of_ours_what_is_missing_first(
    value: object, expected: list[tuple[type[errors.KeywrightError], str | None]], source: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as invalid:
        Thing.model_validate(value)
    found = [{**each, "loc": (*source, *each["loc"])} for each in invalid.value.errors()]
    assert [(type(refusal), refusal.field) for refusal in refusals_of(found)] == expected


@pytest.mark.parametrize("name", ["body", "query", "app"])
def test_a_field_may_bear_the_name_of_a_place_or_of_a_tag(name: str) -> None:
    (refusal,) = refusals_of([{"type": "extra_forbidden", "loc": ("body", name)}])
    assert (type(refusal), refusal.field) == (errors.FieldUnknown, name)
    (tagged,) = refusals_of([{"type": "extra_forbidden", "loc": ("body", "app", name)}])
    assert tagged.field == name


def test_the_rejected_input_stays_behind() -> None:
    with pytest.raises(ValidationError) as invalid:
        Thing.model_validate({"name": [CANARY], "count": CANARY})
    refusals = refusals_of(invalid.value.errors())
    assert len(refusals) == 2
    assert not any(CANARY in f"{refusal!r}{refusal}{vars(refusal)}" for refusal in refusals)


# --- what a dialect asks of a request ------------------------------------------------------------------------------


def test_a_member_is_looked_at_early_only_where_the_body_is_strict_json() -> None:
    def early(body: bytes) -> str | None:
        asked = event("POST", "/v1/things", {"content-type": JSON}, body, "/v1/things")
        return Request(asked).json_member("token")

    assert early(b'{"token": "x"}') == "x"
    for body in (b"", b"[]", b"{", b'{"token": 5}', b'{"token": null}', b'{"token": "x", "token": "y"}', b"\xff"):
        assert early(body) is None
    assert early(b'{"token": "' + b"x" * LARGEST_BODY + b'"}') is None


def test_the_query_is_decoded_in_order_with_its_blank_values() -> None:
    asked = event("GET", "/v1/things?b=1%202&a=&b=2", {}, b"", "/v1/things")
    assert Request(asked).query == [("b", "1 2"), ("a", ""), ("b", "2")]
