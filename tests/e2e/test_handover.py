"""A key is handed over: ordered under an idempotency key, opened once in what a browser without scripts would send."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.e2e.conftest import Running


def ask(running: Running, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, str]:
    """A request of the demo operator's; a target that is an address is asked for as it is, by nobody."""
    own = not target.startswith("http")
    given = {"Authorization": f"Bearer {running.values['KEYWRIGHT_OPERATOR_TOKEN']}", **headers} if own else headers
    if body is not None:
        given["Content-Type"] = "application/json"
    data = b"" if body is None and method == "POST" else None if body is None else json.dumps(body).encode()
    request = Request(f"{running.url}{target}" if own else target, data, given, method=method)
    try:
        with urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.read().decode()


def test_a_key_is_ordered_once_and_seen_once(running: Running) -> None:
    order = {"owner": {"kind": "operator", "id": "21000000000017"}, "hand_over": {"expires_in": 900}}
    with ThreadPoolExecutor(4) as pool:
        answers = set(
            pool.map(
                lambda _: ask(running, "POST", "/v1/keys", order, **{"Idempotency-Key": '"order-1"'}),
                range(8),
            )
        )
    [(status, body)] = answers
    assert status == 201
    key = json.loads(body)
    assert "token" not in key
    url = key["link"]["url"]
    assert url.startswith(f"{running.url}/h/")

    for _ in range(3):
        status, page = ask(running, "GET", url)
        assert (status, "<button>Show the key</button>" in page) == (200, True)
    with ThreadPoolExecutor(6) as pool:
        clicks = list(pool.map(lambda _: ask(running, "POST", url), range(6)))
    seen = [re.findall("<code>(.+?)</code>", page) for status, page in clicks if status == 200]
    [[secret, key_id]] = seen
    assert unescape(key_id) == key["id"]
    assert ask(running, "POST", url)[0] == ask(running, "GET", url)[0] == 410

    status, verdict = ask(running, "POST", "/v1/keys/verify", {"token": unescape(secret)})
    assert (status, json.loads(verdict)["key_id"]) == (200, key["id"])
    [link] = json.loads(ask(running, "GET", f"/v1/keys/{key['id']}/links")[1])["links"]
    assert (link["state"], link["opened_from"]) == ("opened", "127.0.0.1")
    assert unescape(secret) not in running.printed
    assert url.rpartition("/")[2] not in running.printed


def test_a_link_that_was_taken_back_leads_nowhere(running: Running) -> None:
    order = {"owner": {"kind": "operator", "id": "21000000000017"}}
    key_id = json.loads(ask(running, "POST", "/v1/keys", order)[1])["id"]
    link = json.loads(ask(running, "POST", f"/v1/keys/{key_id}/links", {"expires_in": 900})[1])
    assert ask(running, "DELETE", f"/v1/keys/{key_id}/links/{link['id']}")[0] == 200
    nowhere = ask(running, "GET", f"{running.url}/h/{'A' * 43}")
    assert nowhere[0] == 404
    assert ask(running, "GET", link["url"]) == ask(running, "POST", link["url"]) == nowhere
