"""What is sent to an endpoint to bring it out of step: bodies, ids, credentials and addresses, by hand and by chance.

Each begins with the request of the committed event and changes one thing of it, so that it gets as far as it can.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from hypothesis import strategies as st

from keywright import model
from keywright.edge import FORM, JSON, LARGEST_BODY
from local import demo
from local.template import Route, Template

ROOT: Final = Path(__file__).resolve().parents[2]
TEMPLATE: Final = Template.load(ROOT / "template.yaml", {})
CREDENTIAL_HEADERS: Final = ("authorization", "x-voltmx-authorization", "x-voltmx-app-api-key")
PLANTED: Final = "planted-by-the-proof-7f3a"
"""What stands in a member that no body has."""
PLANTED_NUMBER: Final = 730_730_730_730

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request. `refused` tells that it must be; `secrets` are what it presents and no refusal may repeat."""

    what: str
    method: str
    path: str
    query: str = ""
    headers: Pairs = ()
    body: bytes = b""
    refused: bool = False
    secrets: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def header(self, name: str) -> str | None:
        return next((value for each, value in self.headers if each == name), None)

    def with_header(self, name: str, *values: str | None) -> Sent:
        """In place of what it has of that name."""
        rest = tuple(pair for pair in self.headers if pair[0] != name)
        return replace(self, headers=(*rest, *((name, value) for value in values if value is not None)))


@dataclass(frozen=True, slots=True)
class Good:
    """A request that an endpoint of `function` takes, at one of its routes; `parameters` fill the route's variables."""

    function: str
    route: str
    parameters: Mapping[str, str]
    sent: Sent

    def at(self, **parameters: str) -> str:
        """The path with these, as they stand, in place of the right ones."""
        given = {name: quote(value, safe=":") for name, value in self.parameters.items()} | parameters
        return re.sub(r"\{(\w+)\+?\}", lambda found: given[found[1]], self.route)


def good_requests(function: str) -> Iterator[Good]:
    """One at each of its routes, and at a catch-all one of each method."""
    module = TEMPLATE.functions[function].handler.rpartition(".")[0].replace(".", "/")
    event = json.loads((ROOT / "events" / f"{module}.json").read_text())
    for route in sorted((route for route in TEMPLATE.routes if route.function == function), key=str):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH") if route.method == "ANY" else (route.method,):
            yield _good(function, route, method, event)


def _good(function: str, route: Route, method: str, event: Mapping[str, Any]) -> Good:
    http = event["requestContext"]["http"]
    own = event["routeKey"].partition(" ")[2].split("/")
    parameters = {
        part.strip("{}+"): value
        for part, value in zip(own, http["path"].split("/"), strict=False)
        if part.startswith("{") and not part.endswith("+}")
    }
    parameters |= {"proxy": "nothing/of-the-kind"}
    headers = tuple(
        (name, value)
        for name, value in event["headers"].items()
        if not name.startswith(("x-amzn", "x-forwarded")) and name not in {"content-length", "host"}
    )
    text = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    query = event.get("rawQueryString", "")
    if method == "GET" and http["method"] != "GET":
        query, body = "&".join(filter(None, [query, body.decode()])), b""
    elif method == "POST" and http["method"] == "GET" and query:
        query, body = "", query.encode()
        headers = (*(pair for pair in headers if pair[0] != "content-type"), ("content-type", FORM))
    sent = Sent("the committed event", method, "", query, headers, body)
    good = Good(function, route.path, parameters, sent)
    return replace(good, sent=replace(sent, path=good.at()))


# --- by hand -------------------------------------------------------------------------------------------------------

_DIGITS: Final = "7" * 5_000
_BROKEN: Final = (
    b"{", b"}", b'{"a"', b'{"a":}', b'{"a":1,}', b"{'a': 1}", b"[]", b"[{}]", b"null", b"true", b"7", b'"x"', b"NaN",
    b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e400}', b'{"a": -1e400}',
    b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 1}}', b"[" * 100_000, b'{"a":' * 9 + b"1" + b"}" * 9,
    b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", f'{{"a": {_DIGITS}}}'.encode(), f'{{"a": -{_DIGITS}}}'.encode(),
    b"\xff\xfe{}", b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}", b"{\x00}", b'{"a": "\x01"}',
    b'{"a": "\t"}', b"{}{}", b"{} x", b"// {}", "{}\u2028x".encode(), b"\x80" * 200, b" ", b"\r\n",
    "{\u00a0}".encode(), b'{"\\ud800": 1}', b'{"a": "\\ud800"}',
)  # fmt: skip
"""None of them is a body of ours."""
_TYPES: Final = (
    None, "", "text/plain", "application/xml", "application/json-patch+json", "multipart/form-data; boundary=x",
    "application/octet-stream", "application/json, text/plain", "APPLICATION/JSON", "application/json; charset=utf-16",
    "application/x-www-form-urlencoded", "json", "\u2028", "application/json;" * 200,
)  # fmt: skip
_TEXTS: Final = (
    "", " ", "\x00", "\n", "\r\nX: y", "\x1b[31m", "\u2028", "\u2029", "\u200b", "\u202e", "\ufeff",
    "😀", "é" * 200, "x" * 10_000, "0", "-1", "1e400", "NaN", "null", "true", "[]", "{}", "../../etc/passwd", "%0A",
    "%00", "${jndi:x}",
    "{0.__class__}", "%s%n", "' OR 1=1 --", "<script>", "a" * 250 + "@example.com", "a@b@c", "\uff11\uff12", _DIGITS,
    "9" * 13, "2099-02-30T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
)  # fmt: skip
_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 10**30, 2**63, 1e308, [], {}, [[]], [None], {"S": "x"}, {"$ne": None},
    {"__proto__": {}}, [1] * 2_000, *_TEXTS,
)  # fmt: skip


def _stored_attributes() -> tuple[str, ...]:
    kinds = (
        model.Key,
        model.Version,
        model.Grant,
        model.Tenant,
        model.Event,
        model.Link,
        model.OwnerRef,
        model.Creator,
    )
    names = {each.name for kind in (*kinds, *model.OWNERS.values()) for each in fields(kind)}
    return tuple(sorted(names | {"pk", "sk", "operation", "due_at_ms", "due_bucket", "purge_at", "live_native"}))


STORED: Final = _stored_attributes()
"""By what name anything lies in the table."""


def spellings(id_: str) -> Iterator[tuple[str, str]]:
    """Other ways to write an id, as they stand in a path: what differs, and the segment."""
    plain = quote(id_, safe=":")
    middle = len(id_) // 2
    swapped = id_.swapcase()
    if swapped != id_:
        yield "in the other case", quote(swapped, safe=":")
        yield "with capitals", quote(id_.title() if id_.title() != id_ else swapped, safe=":")
    for name, before, after in (
        ("line feed behind", "", "%0A"), ("carriage return and line feed behind", "", "%0D%0A"),
        ("line feed before", "%0A", ""), ("NUL behind", "", "%00"), ("DEL behind", "", "%7F"),
        ("tab behind", "", "%09"),
        ("space behind", "", "%20"), ("space before", "%20", ""), ("plus behind", "", "+"), ("dot behind", "", "."),
        ("dots before", "..%2F", ""), ("slash behind", "", "%2F"), ("slash before", "%2F", ""),
        ("zero before", "0", ""),
        ("no-break space behind", "", "%C2%A0"), ("zero-width space behind", "", "%E2%80%8B"),
        ("line separator behind", "", "%E2%80%A8"), ("next line behind", "", "%C2%85"),
        ("half a character behind", "", "%C3"),
        ("not UTF-8 behind", "", "%FF"), ("percent behind", "", "%25"), ("doubly encoded line feed", "", "%250A"),
        ("a bare percent", "", "%"), ("an encoding that is none", "", "%zz"), ("matrix parameter", "", ";a=b"),
        ("question mark behind", "", "%3F"), ("hash behind", "", "%23"), ("comma behind", "", "%2C"),
        ("twice", plain, ""),
        ("star behind", "", "*"), ("unit separator behind", "", "%1F"), ("number sign and more", "", "%23KEY"),
    ):  # fmt: skip
        yield name, f"{before}{plain}{after}"
    yield "a slash in it", f"{quote(id_[:middle], safe=':')}%2F{quote(id_[middle:], safe=':')}"
    yield "a letter short", quote(id_[:-1], safe=":") or "%20"
    yield "too long", plain + "a" * 300
    yield "far too long", plain + "a" * 5_000
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in id_)
    yield "full width", quote(wide)
    yield "another", "planted"


_NOT_ALIASES: Final = {"in the other case", "with capitals"}
"""Where the id is a GUID, which its vendor compares without case."""


def _in_path(good: Good) -> Iterator[Sent]:
    for name, value in good.parameters.items():
        if f"{{{name}" not in good.route or name == "proxy":
            continue
        for what, segment in spellings(value):
            folded = name == "appKey" and what in _NOT_ALIASES
            yield replace(good.sent, what=f"path {name}, {what}", path=good.at(**{name: segment}), refused=not folded)
    for what, path in (
        ("a slash at the end", f"{good.sent.path}/"), ("two slashes", good.sent.path.replace("/", "//", 1)),
        ("a line feed at the end", f"{good.sent.path}%0A"), ("a segment more", f"{good.sent.path}/x"),
        ("another case", good.sent.path.upper()), ("dots", f"{good.sent.path}/../x"),
        ("long", good.sent.path + "/x" * 2_000),
    ):  # fmt: skip
        yield replace(good.sent, what=f"path, {what}", path=path)


def _raw_bodies(good: Good) -> Iterator[Sent]:
    type_ = good.sent.header("content-type")
    for n, body in enumerate(_BROKEN):
        sent = replace(good.sent, what=f"broken body {n}", body=body).with_header("content-type", type_ or JSON)
        yield replace(sent, refused=bool(good.sent.body) and type_ == JSON)
    if type_ == JSON and good.sent.body:
        for size in (LARGEST_BODY - 100, LARGEST_BODY, LARGEST_BODY + 1, 4 * LARGEST_BODY):
            room = size - len(good.sent.body)
            yield replace(
                good.sent, what=f"{size} bytes", body=good.sent.body + b" " * room, refused=size > LARGEST_BODY
            )
            filled = b'{"description": "' + b"x" * (size - 19) + b'"}'
            yield replace(good.sent, what=f"{size} bytes of one member", body=filled, refused=True)
    for type_ in _TYPES:
        yield replace(good.sent, what=f"content type {type_!r:.30}").with_header("content-type", type_)
    yield replace(good.sent, what="two content types").with_header("content-type", JSON, FORM)


def _with(document: Any, place: Sequence[str | int], value: Any) -> Any:
    changed = deepcopy(document)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return changed


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a JSON body, inside and outside."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in members:
        yield (*at, name)
        yield from places(each, (*at, name))


def _members(good: Good, known: frozenset[str]) -> Iterator[Sent]:
    """`known` are the names that the description has for members of this body."""
    if good.sent.header("content-type") != JSON or not good.sent.body.startswith(b"{"):
        return
    document = json.loads(good.sent.body)

    def body(value: Any, what: str, **more: Any) -> Sent:
        return replace(good.sent, what=what, body=json.dumps(value).encode(), **more)

    for place in places(document):
        where = ".".join(map(str, place))
        for value in _VALUES:
            yield body(_with(document, place, value), f"member {where} is {value!r:.40}")
        for digits in ("NaN", "1e400", _DIGITS):
            text = json.dumps(_with(document, place, "@@")).replace('"@@"', digits)
            yield replace(good.sent, what=f"member {where} is {digits:.9}", body=text.encode(), refused=True)
    inner: list[tuple[str | int, ...]] = [()]
    inner += [place for place in places(document) if isinstance(_at(document, place), dict)]
    for name in (*STORED, "Name", "__proto__", "constructor", "", "a.b", "\u2028", "x" * 10_000):
        if name in known:
            continue
        for place in inner:
            if "metadata" in place:
                continue
            for value in (PLANTED, PLANTED_NUMBER):
                with_it = {**_at(document, place), name: value}
                changed = _with(document, place, with_it) if place else with_it
                yield body(changed, f"also {'.'.join(map(str, (*place, name)))[:40]}", refused=True)
    for name, value in document.items():
        rest = {other: each for other, each in document.items() if other != name}
        yield body(rest, f"without {name}")
        once_more = json.dumps(document)[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}"
        yield replace(good.sent, what=f"{name} twice", body=once_more.encode(), refused=True)


def _at(document: Any, place: Sequence[str | int]) -> Any:
    for name in place:
        document = document[name]
    return document


def _fields(good: Good) -> Iterator[Sent]:
    """Of a query and of a form."""
    form = good.sent.header("content-type") == FORM and bool(good.sent.body)

    def made(pairs: Iterable[tuple[str, str]], what: str, *, in_form: bool) -> Sent:
        text = urlencode(list(pairs), errors="surrogatepass")
        return (
            replace(good.sent, what=what, body=text.encode()) if in_form else replace(good.sent, what=what, query=text)
        )

    for in_form in (False, True):
        if in_form and not form:
            continue
        pairs = parse_qsl(good.sent.body.decode() if in_form else good.sent.query, keep_blank_values=True)
        where = "form" if in_form else "query"
        for n, (name, _) in enumerate(pairs):
            for value in _TEXTS:
                changed = [*pairs[:n], (name, value), *pairs[n + 1 :]]
                yield made(changed, f"{where} {name} is {value!r:.40}", in_form=in_form)
            yield made([*pairs, pairs[n]], f"{where} {name} twice", in_form=in_form)
            yield made([*pairs[:n], *pairs[n + 1 :]], f"{where} without {name}", in_form=in_form)
        for name in STORED:
            yield made([*pairs, (name, PLANTED)], f"{where} also {name}", in_form=in_form)
        yield made([*pairs, *((f"x{n}", "y") for n in range(150))], f"{where} of many", in_form=in_form)
        yield made([*pairs, ("x", "y" * 60_000)], f"{where} of great length", in_form=in_form)
        for tail in ("%FF=%FF", "%00=%0A", "a=%", "=", "&&&", "a=b=c;d", "%E2%80%A8=1"):
            if in_form:
                yield replace(good.sent, what=f"form and {tail}", body=good.sent.body + b"&" + tail.encode())
            else:
                text = "&".join(filter(None, [good.sent.query, tail]))
                yield replace(good.sent, what=f"query and {tail}", query=text)


JWT_PARTS: Final = tuple(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in (
        {"alg": "none", "typ": "JWT", "kid": demo.SUNSHINE_KEY_ID},
        {"alg": "HS256", "typ": "JWT", "kid": demo.SUNSHINE_KEY_ID},
        {"alg": "HS256", "kid": "../../x"},
        {"alg": "HS256", "kid": None, "crit": ["exp"]},
    )
)
_CLAIMS: Final = base64.urlsafe_b64encode(b'{"scope":"app"}').decode().rstrip("=")


def bad_credentials() -> Iterator[str]:
    """Of every format that some dialect has, and none of them good."""
    near = demo.OPERATOR_TOKEN
    bare = [
        near[:-1] + ("a" if near[-1] != "a" else "b"), near[:-1], f"{near}0", near.upper(),
        near.replace("local", "live"),
        demo.KEY_TOKEN.replace("Demo", "demo"), demo.ACCESS_TOKEN[:-1] + "f", demo.REP_KEY[:-1] + "0",
        demo.APP_API_KEY[:-1] + "0", "00000000-0000-4000-8000-0000000000dz", "x" * 10_000, "é" * 40, "\u2028" * 20,
        "undefined",
        *(f"{head}.{_CLAIMS}.{tail}" for head in JWT_PARTS for tail in ("", "AAAA", "A" * 43, "=" * 4)),
        f"{JWT_PARTS[1]}..", f"{JWT_PARTS[1]}.{_CLAIMS}", "..", "a.b.c.d", f"{JWT_PARTS[1]}.{_CLAIMS}.{'A' * 9_000}",
    ]  # fmt: skip
    yield from ("", " ", ",", "Bearer", "Bearer ", "Basic", "Basic ", "Zoho-oauthtoken", "Negotiate x", "\x01", ":")
    for each in bare:
        yield each
        yield f"Bearer {each}"
        yield f"Zoho-oauthtoken {each}"
        pair = base64.b64encode(f"{demo.SUNSHINE_KEY_ID}:{each}".encode()).decode()
        yield f"Basic {pair}"
    for raw in (b"", b":", b"a", b"\xff\xff:\xff", b"\x00:\x00", b"a:b:c", f"{demo.SUNSHINE_KEY_ID}:".encode()):
        yield f"Basic {base64.b64encode(raw).decode()}"
    yield "Basic !!!"
    yield f"Basic {base64.b64encode(b'x' * 20_000).decode()}"


def _secret_of(header: str) -> tuple[str, ...]:
    secret = header.rpartition(" ")[2].strip()
    return (secret,) if len(secret) >= 20 and secret.isascii() else ()


def _credentials(good: Good) -> Iterator[Sent]:
    for name in CREDENTIAL_HEADERS:
        right = good.sent.header(name)
        if right is None:
            continue
        yield replace(good.sent, what=f"no {name}", refused=True).with_header(name, None)
        for n, wrong in enumerate(bad_credentials()):
            sent = replace(good.sent, what=f"{name}, wrong {n}", refused=True, secrets=_secret_of(wrong))
            yield sent.with_header(name, wrong)
        secrets = _secret_of(right)
        for what, values in (
            ("twice", (right, right)), ("with another", (right, "Bearer x")), ("after another", ("Bearer x", right)),
            ("joined", (f"{right}, {right}",)), ("with a comma", (f"{right},",)), ("and more", (f"{right} x",)),
        ):  # fmt: skip
            sent = replace(good.sent, what=f"{name} {what}", refused=True, secrets=secrets)
            yield sent.with_header(name, *values)
        token = secrets[0] if secrets else right
        for query in ("token", "access_token", "apikey", "api_key", "key", "authorization", "Authorization"):
            text = "&".join(filter(None, [good.sent.query, urlencode({query: token})]))
            sent = replace(
                good.sent, what=f"{name} as the parameter {query}", refused=True, secrets=(token,), query=text
            )
            yield sent.with_header(name, None)
        sent = replace(good.sent, what=f"{name} at the end of the path", path=f"{good.sent.path}/{quote(token)}")
        yield replace(sent, secrets=(token,)).with_header(name, None)


_CREDENTIAL_FIELDS: Final = frozenset({"apikey", "password", "client_secret", "refresh_token"})


def _credentials_in_fields(good: Good) -> Iterator[Sent]:
    """Where a dialect's callers present themselves in a body or a query."""
    form = good.sent.header("content-type") == FORM and bool(good.sent.body)
    if good.sent.body.startswith(b"{"):
        document = json.loads(good.sent.body)
        if "password" in document:
            for n, wrong in enumerate(bad_credentials()):
                body = json.dumps({**document, "password": wrong}).encode()
                yield replace(
                    good.sent, what=f"password, wrong {n}", body=body, refused=True, secrets=_secret_of(wrong)
                )
    for text in (good.sent.query, good.sent.body.decode() if form else ""):
        pairs = parse_qsl(text, keep_blank_values=True)
        for at, (name, _) in enumerate(pairs):
            if name not in _CREDENTIAL_FIELDS:
                continue
            for n, wrong in enumerate(bad_credentials()):
                changed = urlencode([*pairs[:at], (name, wrong), *pairs[at + 1 :]])
                sent = replace(good.sent, what=f"{name}, wrong {n}", refused=True, secrets=_secret_of(wrong))
                in_query = text == good.sent.query
                yield replace(sent, query=changed) if in_query else replace(sent, body=changed.encode())


def by_hand(good: Good, known: frozenset[str]) -> Iterator[Sent]:
    for family in (_in_path, _raw_bodies, _fields, _credentials, _credentials_in_fields):
        yield from family(good)
    yield from _members(good, known)


# --- by chance -----------------------------------------------------------------------------------------------------

_CHARACTERS: Final = st.characters(exclude_categories=["Cs"])
_TEXT: Final = st.one_of(st.sampled_from(_TEXTS), st.text(_CHARACTERS, max_size=40))
_SCALARS: Final = st.one_of(st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), _TEXT)
_JSON: Final = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXT, inner, max_size=4)),
    max_leaves=12,
)


def by_chance(goods: Sequence[Good]) -> st.SearchStrategy[Sent]:
    return st.sampled_from(goods).flatmap(_changed)


def _changed(good: Good) -> st.SearchStrategy[Sent]:
    sent = replace(good.sent, what="by chance")
    ways: list[st.SearchStrategy[Sent]] = [
        st.binary(max_size=120).map(lambda body: replace(sent, body=body).with_header("content-type", JSON)),
        _JSON.map(lambda value: replace(sent, body=json.dumps(value).encode()).with_header("content-type", JSON)),
        st.lists(st.tuples(_TEXT, _TEXT), max_size=6).map(
            lambda pairs: replace(sent, body=urlencode(pairs).encode()).with_header("content-type", FORM)
        ),
        st.lists(st.tuples(_TEXT, _TEXT), max_size=6).map(lambda pairs: replace(sent, query=urlencode(pairs))),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60).map(
            lambda tail: replace(sent, query=tail)
        ),
    ]
    named = [name for name in good.parameters if f"{{{name}" in good.route]
    ways += [_TEXT.map(_segment(good, sent, name)) for name in named]
    if good.sent.body.startswith(b"{"):
        document = json.loads(good.sent.body)
        spots = [*places(document)]
        if spots:
            ways.append(
                st.tuples(st.sampled_from(spots), _JSON).map(
                    lambda drawn: replace(sent, body=json.dumps(_with(document, *drawn)).encode())
                )
            )
        ways.append(
            st.dictionaries(_TEXT, _JSON, max_size=3).map(
                lambda more: replace(sent, body=json.dumps({**document, **more}).encode())
            )
        )
    names = [name for name in CREDENTIAL_HEADERS if good.sent.header(name) is not None]
    ways += [_TEXT.map(_header(sent, name)) for name in names]
    return st.one_of(ways)


def _segment(good: Good, sent: Sent, name: str) -> Callable[[str], Sent]:
    return lambda text: replace(sent, path=good.at(**{name: quote(text, safe="") or "%20"}))


def _header(sent: Sent, name: str) -> Callable[[str], Sent]:
    return lambda text: sent.with_header(name, text)
