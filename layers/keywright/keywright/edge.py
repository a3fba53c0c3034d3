"""The edge: where an HTTP request becomes a call of the core, and its result or refusal an answer.

Every endpoint goes through the same steps, in this order, and any of them may refuse:

1. the address: control characters, and what the dialect demands of its paths;
2. the caller: authentication, by the dialect, in one read together with whatever else the endpoint can already name;
3. the subject: `locate`, where the dialect looks at what the request is about before it looks at the body;
4. the body: size, content type, encoding;
5. Powertools' resolver: validation, the endpoint's own function, serialisation.

Authentication comes first because a stranger should learn nothing from validation. Powertools validates before any
dependency runs, so steps 1 to 4 stand before its `resolve`; both sides render refusals by the one table of the dialect.
A deed whose record was changed by somebody else meanwhile (`Stale`) is done again from step 2 on.
"""

from __future__ import annotations

import hmac
import json
import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, Final, Protocol, TypeVar, get_type_hints
from urllib.parse import parse_qsl

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError
from aws_lambda_powertools.event_handler.request import Request as ResolvedRequest
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from keywright import bootstrap, errors, refused_use, replay, strict_json
from keywright.access import Principal, presented
from keywright.model import Grant, OwnerKind
from keywright.ports import AnswerRef, Desk, KeptAnswer, Ref, Stale
from keywright.sweeping import Swept

LARGEST_BODY: Final = 64_000
"""Bytes; 64 kB in every dialect."""
MARGIN_MS: Final = 5_000
"""What works through many records stops this long before Lambda would stop it."""
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_ATTEMPTS: Final = 5

logger: Final = Logger(service="keywright", use_rfc3339=True)
metrics: Final = Metrics(service="keywright")
"""Sent by `flush_metrics`, never by its own method: it may be older than the environment that says under which name."""


class Request:
    """What the dialects ask of a request before it is resolved."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.event = APIGatewayProxyEventV2(dict(event))

    @cached_property
    def path(self) -> str:
        return self.event.path

    @cached_property
    def path_parameters(self) -> Mapping[str, str]:
        return self.event.path_parameters

    @property
    def method(self) -> str:
        return self.event.http_method

    def header(self, name: str) -> str | None:
        """The header's value; several headers of the name arrive joined by commas."""
        value = self._headers.get(name.lower())
        return None if value is None else str(value)

    @cached_property
    def _headers(self) -> Mapping[str, Any]:
        # Powertools gathers them anew whenever one is asked for.
        return {name.lower(): value for name, value in (self.event.raw_event.get("headers") or {}).items()}

    @cached_property
    def media_type(self) -> str | None:
        value = self.header("content-type")
        return None if value is None else value.partition(";")[0].strip().lower()

    @cached_property
    def body(self) -> str:
        """The body as text. Raises BodyTooLarge, BodyUnreadable."""
        try:
            body = self.event.decoded_body or ""
            size = len(body.encode())
        except ValueError as unreadable:
            raise errors.BodyUnreadable from unreadable
        if size > LARGEST_BODY:
            raise errors.BodyTooLarge
        return body

    @cached_property
    def idempotency_key(self) -> str | errors.KeywrightError | None:
        """What the header says, or why it says nothing; None where there is none."""
        try:
            return replay.key_in(self.header(replay.HEADER))
        except errors.FieldInvalid as refusal:
            return refusal

    @cached_property
    def digest(self) -> str:
        """By which the same request is known again: method, path and body, as they were sent. Raises BodyTooLarge,
        BodyUnreadable."""
        return replay.digest_of(self.method, self.path, self.body)

    @cached_property
    def source(self) -> str:
        """The network address that the request came from, as the gateway saw it: headers say what callers like."""
        return str(self.event.request_context.http.source_ip)

    @cached_property
    def query(self) -> Sequence[tuple[str, str]]:
        return parse_qsl(self.event.raw_query_string, keep_blank_values=True)

    @cached_property
    def form(self) -> Sequence[tuple[str, str]]:
        """The fields of a form body, none where the body is no form. Raises BodyTooLarge, BodyUnreadable."""
        if self.media_type != FORM:
            return []
        try:
            return parse_qsl(self.body, keep_blank_values=True, errors="strict", max_num_fields=100)
        except ValueError as unreadable:
            raise errors.BodyUnreadable from unreadable

    def json_member(self, name: str) -> str | None:
        """A string member of a JSON body, looked at before validation, to know early what to read; None where it cannot
        be had."""
        try:
            value = strict_json.loads(self.body)
            member = value.get(name) if isinstance(value, dict) else None
        except (errors.KeywrightError, json.JSONDecodeError):
            return None
        return member if isinstance(member, str) else None


class Surface(Protocol):
    """A dialect, as the edge sees it."""

    name: str

    def check_address(self, request: Request) -> None:
        """Raises PathUnknown where the path is none of the dialect's, whoever asks."""

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        """The caller; `also` is read in the same call. Raises CredentialsMissing, CredentialsRefused."""

    def refuse(self, refusals: Sequence[errors.KeywrightError], request: Request) -> Response[str]:
        """The dialect's answer, its body serialised; at least one refusal, the most important first."""


class Caller:
    """The principal, and what was read together with its credential, from `asked_at_ms` on."""

    __slots__ = ("asked_at_ms", "principal", "reading")

    def __init__(self, principal: Principal, reading: Any = None) -> None:
        self.principal = principal
        self.reading = reading
        self.asked_at_ms = 0


Locate = Callable[[Desk, Request, Caller], Any]
"""Finds what a request is about before its body is looked at, and raises the dialect's refusals in their order."""


class Endpoint:
    """A Lambda handler around one resolver.

    `reads` names, from the request alone, records to be read together with the caller's credential. `body` is the media
    type of the body, or None where there is none to be read. With `may_be_empty` an absent body counts as ``{}``.
    `scope` is what callers must hold, for the description of the API: it is `locate` that demands it. With `repeatable`
    a request that bears an idempotency key has one effect and one answer, however often it comes; see `replay`.
    """

    def __init__(
        self,
        surface: Surface,
        *,
        scope: str | None = None,
        body: str | None = None,
        may_be_empty: bool = False,
        repeatable: bool = False,
        reads: Callable[[Request], Iterable[Ref[Any]]] = lambda _: (),
        locate: Locate = lambda _desk, _request, _caller: None,
    ) -> None:
        self.scope = scope
        self.body = body
        self.may_be_empty = may_be_empty
        self.repeatable = repeatable
        self._surface = surface
        self._reads = reads
        self._locate = locate
        self.app = APIGatewayHttpResolver(
            enable_validation=True,
            json_body_deserializer=_json_object,
            response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
        )
        self.app.exception_handler(errors.KeywrightError)(self._on_refusal)
        self.app.exception_handler(RequestValidationError)(self._on_invalid_request)
        self.app.exception_handler(ResponseValidationError)(self._on_fault)
        self.app.exception_handler(Stale)(_again)
        self.app.exception_handler(Exception)(self._on_fault)
        self.app.not_found(self._on_unknown_path)
        bootstrap.open_early()

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        began = time.perf_counter()
        request = Request(event)
        answer = self._answer(event, context, request)
        answer["headers"]["Cache-Control"] = "no-store"
        note(self._surface.name, request, answer["statusCode"], began, context)
        return answer

    def _answer(self, event: dict[str, Any], context: LambdaContext, request: Request) -> dict[str, Any]:
        try:
            check_characters(request)
            self._surface.check_address(request)
            desk = bootstrap.desk()
            for _ in range(_ATTEMPTS):
                try:
                    return self._attempt(desk, event, context, request)
                except Stale:
                    continue
            raise errors.Conflict  # noqa: TRY301  rendered like every other refusal, just below
        except Exception as refusal:  # noqa: BLE001  the last line: of a fault a caller is told nothing but that it was ours
            return payload(self._refuse(refusal, request))

    def _refuse(self, refusal: Exception, request: Request) -> Response[str]:
        if isinstance(refusal, errors.KeywrightError):
            note_cause(refusal)
            return self._surface.refuse([refusal], request)
        note_fault(refusal)
        return self._surface.refuse([errors.Fault()], request)

    def refused(
        self, refusal: Exception, event: dict[str, Any], context: LambdaContext, began: float
    ) -> dict[str, Any]:
        """The answer to a request that `keywright.direct` carried out, which `began` then, and was refused by."""
        request = Request(event)
        if isinstance(refusal, errors.CredentialsRefused):
            note_refused_use(bootstrap.desk(), presented(refusal), address=request.source)
        answer = payload(self._refuse(refusal, request))
        answer["headers"]["Cache-Control"] = "no-store"
        note(self._surface.name, request, answer["statusCode"], began, context)
        return answer

    def _attempt(self, desk: Desk, event: dict[str, Any], context: LambdaContext, request: Request) -> dict[str, Any]:
        key = request.idempotency_key if self.repeatable else None
        if not isinstance(key, str):
            caller = self._caller(desk, request, self._reads(request))
            if key is not None:
                raise key
            return self._done(desk, event, context, request, caller)
        _, _, credential = (request.header("authorization") or "").partition(" ")
        ref = AnswerRef(replay.answer_id(credential, key))
        caller = self._caller(desk, request, (*self._reads(request), ref))
        kept = caller.reading[ref]
        if kept is not None and kept.expires_at_ms > desk.clock.now_ms():
            return self._repeated(desk, request, caller, kept)
        attempt = replay.Attempt(desk)
        answer = self._done(attempt.desk, event, context, request, caller)
        if answer["statusCode"] < HTTPStatus.BAD_REQUEST:
            attempt.settle(
                ref.id,
                request.digest,
                status=answer["statusCode"],
                content_type=answer["headers"]["Content-Type"],
                body=answer["body"],
            )
        return answer

    def _caller(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        asked_at_ms = desk.clock.now_ms()
        try:
            caller = self._surface.authenticate(desk, request, also)
        except errors.CredentialsRefused as refused:
            note_refused_use(desk, presented(refused), address=request.source)
            raise
        caller.principal.check_address(request.source)
        caller.asked_at_ms = asked_at_ms
        return caller

    def _done(
        self, desk: Desk, event: dict[str, Any], context: LambdaContext, request: Request, caller: Caller
    ) -> dict[str, Any]:
        found = self._locate(desk, request, caller)
        self._check_body(request, event)
        self.app.context.update(caller=caller, found=found, desk=desk, lambda_context=context)
        return self.app.resolve(event, context)

    def _repeated(self, desk: Desk, request: Request, caller: Caller, kept: KeptAnswer) -> dict[str, Any]:
        """The kept answer, whatever has become since of what it tells. Raises ScopeMissing, IdempotencyKeyReused."""
        if self.scope is not None:
            caller.principal.demand(self.scope)
        if not hmac.compare_digest(kept.request_digest, request.digest):
            raise errors.IdempotencyKeyReused
        return payload(Response(kept.status, kept.content_type, replay.body_of(desk, caller.principal, kept)))

    def _check_body(self, request: Request, event: dict[str, Any]) -> None:
        if self.body is None:
            return
        if not request.body and self.may_be_empty:
            event["body"], event["isBase64Encoded"] = "{}", False
            event["headers"] = {**event["headers"], "content-type": JSON}
            return
        size_checked = request.body
        if request.media_type != self.body and not (request.media_type is None and self.body == JSON):
            raise errors.ContentTypeRefused(detail=f"It takes {self.body}.")
        if not size_checked:
            raise errors.BodyUnreadable
        if self.body == FORM:
            names = [name for name, _ in request.form]
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise errors.FieldInvalid(field=twice, detail="It was given twice.")
        # Powertools compares the whole header, with its case: it gets the plain media type.
        event["headers"] = {**event["headers"], "content-type": self.body}

    # --- inside the resolver ---------------------------------------------------------------------------------------

    def _render(self, *refusals: errors.KeywrightError) -> Response[str]:
        return self._surface.refuse(refusals, Request(self.app.current_event.raw_event))

    def _on_refusal(self, refusal: errors.KeywrightError) -> Response[str]:
        note_cause(refusal)
        return self._render(refusal)

    def _on_invalid_request(self, invalid: RequestValidationError) -> Response[str]:
        return self._render(*refusals_of(invalid.errors()))

    def _on_fault(self, fault: Exception) -> Response[str]:
        note_fault(fault)
        return self._render(errors.Fault())

    def _on_unknown_path(self, _: Exception) -> Response[str]:
        return self._render(errors.PathUnknown())


class OpenEndpoint:
    """A Lambda handler around one resolver that looks for no caller and opens no client: anybody may have what it hands
    out."""

    def __init__(self, surface: str) -> None:
        self._surface = surface
        self.app = APIGatewayHttpResolver(enable_validation=True)

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        began = time.perf_counter()
        answer = self.app.resolve(event, context)
        answer["headers"]["Cache-Control"] = "no-store"
        note(self._surface, Request(event), answer["statusCode"], began, context)
        return answer


class CatchAll:
    """A Lambda handler for every address under a dialect's prefix that no endpoint has; it holds no right to any data.

    `routes` are all (method, path) of the template under the prefix.
    """

    def __init__(self, surface: Surface, routes: Sequence[tuple[str, str]]) -> None:
        self._surface = surface
        self._routes = [(method, path.strip("/").split("/")) for method, path in routes]

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        began = time.perf_counter()
        request, allowed = Request(event), list[str]()
        try:
            check_characters(request)
            self._surface.check_address(request)
            allowed = self._methods(request)
            refusal: errors.KeywrightError = errors.MethodRefused() if allowed else errors.PathUnknown()
        except errors.KeywrightError as refused:
            refusal = refused
        answer = payload(self._surface.refuse([refusal], request))
        answer["headers"]["Cache-Control"] = "no-store"
        if answer["statusCode"] == HTTPStatus.METHOD_NOT_ALLOWED:  # of another status no vendor's client expects it
            answer["headers"]["Allow"] = ", ".join(allowed)
        note(self._surface.name, request, answer["statusCode"], began, context)
        return answer

    def _methods(self, request: Request) -> list[str]:
        """Those that an endpoint has at this path; none, where there is no endpoint."""
        segments = request.path.strip("/").split("/")
        if request.path.endswith("/"):
            return []
        return sorted(
            {verb for verb, path in self._routes if len(path) == len(segments) and all(map(_fits, path, segments))}
        )


def _fits(part: str, segment: str) -> bool:
    return part == segment or (part.startswith("{") and segment != "")


# --- what an endpoint's function asks for --------------------------------------------------------------------------

D = TypeVar("D", bound=Callable[..., Any])


def _resolved(dependency: D) -> D:
    """With its annotations evaluated: Powertools looks at them with each request, and would compile them each time."""
    dependency.__annotations__ = get_type_hints(dependency, include_extras=True)
    return dependency


@_resolved
def _principal(request: ResolvedRequest) -> Principal:
    caller: Caller = request.context["caller"]
    return caller.principal


@_resolved
def _reading(request: ResolvedRequest) -> Any:
    caller: Caller = request.context["caller"]
    return caller.reading


@_resolved
def _asked_at(request: ResolvedRequest) -> int:
    caller: Caller = request.context["caller"]
    return caller.asked_at_ms


@_resolved
def _path_parameters(request: ResolvedRequest) -> Mapping[str, str]:
    return APIGatewayProxyEventV2(request.resolved_event.raw_event).path_parameters


@_resolved
def _time_is_up(request: ResolvedRequest) -> Callable[[], bool]:
    context: LambdaContext = request.context["lambda_context"]
    return lambda: context.get_remaining_time_in_millis() < MARGIN_MS


@_resolved
def _found(request: ResolvedRequest) -> Any:
    return request.context["found"]


@_resolved
def _desk(request: ResolvedRequest) -> Desk:
    desk: Desk = request.context["desk"]
    return desk


@_resolved
def _source(request: ResolvedRequest) -> str:
    return Request(request.resolved_event.raw_event).source


@_resolved
def _public_url(request: ResolvedRequest) -> str:
    event = APIGatewayProxyEventV2(request.resolved_event.raw_event)
    return bootstrap.settings().public_url or f"https://{event.request_context.domain_name}"


CurrentPrincipal = Annotated[Principal, Depends(_principal)]
CurrentReading = Annotated[Any, Depends(_reading)]
CurrentDesk = Annotated[Desk, Depends(_desk)]
AskedAt = Annotated[int, Depends(_asked_at)]
"""The moment before the current reading, epoch milliseconds."""
Deadline = Annotated[Callable[[], bool], Depends(_time_is_up)]
"""Whether Lambda is about to stop the function."""
Source = Annotated[str, Depends(_source)]
"""The network address that the request came from."""
PublicUrl = Annotated[str, Depends(_public_url)]
"""Where the installation is reached, without a slash at the end."""
PathParameters = Annotated[Mapping[str, str], Depends(_path_parameters)]
"""Decoded, as API Gateway has them; the arguments that Powertools cuts from the raw path are not."""
Found: Final = Depends(_found)
"""What `locate` returned: ``Annotated[Channel, Found]``."""


# --- rules that hold for every dialect -----------------------------------------------------------------------------


def payload(response: Response[str]) -> dict[str, Any]:
    """A refusal from before the resolver, in API Gateway's payload format 2.0."""
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "body": response.body,
        "isBase64Encoded": False,
    }


def check_characters(request: Request) -> None:
    """Raises PathUnknown for a path with a control character, encoded or not.

    Powertools' routes cut off a trailing newline, so such a path would be a second spelling of an id.
    """
    if _ENCODED_CONTROL.search(request.path) or any(
        _CONTROL.search(text) for text in (request.path, *request.path_parameters.values())
    ):
        raise errors.PathUnknown


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ENCODED_CONTROL: Final = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")


def _json_object(text: str) -> Any:
    """A body of ours. Of a list Powertools would take the first element for the object that was asked for."""
    value = strict_json.loads(text)
    if not isinstance(value, dict):
        raise json.JSONDecodeError("no object", "", 0)
    return value


def refusals_of(invalid: Sequence[Mapping[str, Any]]) -> list[errors.KeywrightError]:
    """Pydantic's findings as errors of ours, what is missing before what is wrong. The rejected input stays behind."""
    found = [_refusal_of(each) for each in invalid]
    return sorted(found, key=lambda refusal: not isinstance(refusal, errors.BodyUnreadable | errors.FieldMissing))


def _refusal_of(invalid: Mapping[str, Any]) -> errors.KeywrightError:
    kind: str = invalid["type"]
    # In front of the field stand where it was looked for and, beyond a union, the tag; a field may bear either name.
    location = list(invalid["loc"])
    if location and location[0] in {"body", "query", "path", "header"}:
        del location[0]
    if len(location) > 1 and location[0] in set(OwnerKind):
        del location[0]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    if kind in {"json_invalid", "form_invalid"} or (kind == "missing" and not field):
        return errors.BodyUnreadable()
    if kind.startswith("union_tag"):
        tag = str(invalid["ctx"]["discriminator"]).strip("'")
        return (errors.FieldMissing if kind.endswith("not_found") else errors.FieldInvalid)(field=tag)
    if not field:
        return errors.BodyUnreadable() if kind.endswith("_type") else errors.FieldInvalid()
    refusal = _BY_KIND.get(kind, errors.WrongType if kind.endswith(("_type", "_parsing")) else errors.FieldInvalid)
    return refusal(field=field, detail=_detail_of(kind, invalid))


def _detail_of(kind: str, invalid: Mapping[str, Any]) -> str:
    """What pydantic says of limits, types and choices names these, and not what was given; of a validator's own error
    that is known of ours alone."""
    if kind == "value_error":
        error = invalid["ctx"]["error"]
        return str(error) if isinstance(error, errors.Expected) else ""
    return f"{invalid['msg']}." if _TELLS_WHAT_IS_RIGHT.fullmatch(kind) else ""


_TELLS_WHAT_IS_RIGHT: Final = re.compile(
    "(greater|less)_than(_equal)?|(string_)?too_(long|short)|string_pattern_mismatch|timezone_aware|literal_error|enum|"
    "[a-z_]+_(type|parsing)"
)


_BY_KIND: Final[Mapping[str, type[errors.KeywrightError]]] = {
    "missing": errors.FieldMissing,
    "extra_forbidden": errors.FieldUnknown,
    "string_too_short": errors.TooShort,
    "string_too_long": errors.TooLong,
}


def _again(stale: Exception) -> Response[str]:
    # What a handler raises leaves the resolver as it is, past every other handler.
    raise stale


# --- what is noted -------------------------------------------------------------------------------------------------


def note(surface: str, request: Request, status: int, began: float, context: LambdaContext) -> None:
    """One line and one metric a request. The route, never the path or the query: a key may stand in them."""
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    logger.info(
        "answered",
        surface=surface,
        route=request.event.route_key,
        status=status,
        duration_ms=milliseconds,
        request_id=context.aws_request_id,
    )
    metrics.add_dimension(name="surface", value=surface)
    metrics.add_metric(name="Answers", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="Faults", unit=MetricUnit.Count, value=int(status >= HTTPStatus.INTERNAL_SERVER_ERROR))
    flush_metrics()


def note_sweep(swept: Swept) -> None:
    """Its `Sweeps` is the heartbeat: an alarm rings where it is missing. One that stood back has swept nothing."""
    logger.info("swept", **swept.told())
    if swept.dry_run:
        return
    counted = {
        "Sweeps": int(not swept.stood_back),
        "KeysWarned": swept.warned,
        "KeysExpired": swept.expired,
        "VersionsRetired": swept.retired,
        "KeysPurged": swept.purged,
        "KeysNotSwept": swept.failed,
    }
    for name, value in counted.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    flush_metrics()


def flush_metrics() -> None:
    metrics.namespace = bootstrap.metrics_namespace()
    metrics.flush_metrics()


def note_refused_use(desk: Desk, known: Grant | None, *, by: Principal | None = None, address: str = "") -> None:
    """For the audit, see `refused_use.note`; what it could not keep is counted."""
    noted = refused_use.note(desk, known, by=by, address=address)
    if noted is refused_use.Noted.FAILED:
        logger.warning("a refused use was not noted")
        metrics.add_metric(name="RefusedUsesLost", unit=MetricUnit.Count, value=1)


def note_cause(refusal: errors.KeywrightError) -> None:
    """What lies behind a refusal that is not the client's doing."""
    if isinstance(refusal, errors.Fault | errors.Unavailable | errors.MailNotSent):
        note_fault(refusal)


def note_fault(fault: BaseException) -> None:
    """Where it happened and of what class, never what it says: the text of an exception may quote a secret."""
    chain: list[dict[str, Any]] = []
    each: BaseException | None = fault
    while each is not None and len(chain) < 5:
        frames = traceback.extract_tb(each.__traceback__)
        where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]]
        answer = getattr(each, "response", None)  # botocore's: an AWS error, or None where there was no answer
        code = answer.get("Error", {}).get("Code") if isinstance(answer, Mapping) else None
        chain.append({"error": type(each).__name__, "code": code, "where": where})
        each = each.__cause__ or each.__context__
    logger.error("fault", chain=chain)
