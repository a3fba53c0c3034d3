from __future__ import annotations

import pytest

from tests.contract.salesiq.portal import OPERATIONS, PLATFORMS, Portal, assert_refused

METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v2",
        "/api/v2/orchard-labs",
        "/api/v2/orchard-labs/apps",
        "/api/v2/orchard-labs/apps/1/channels",
        "/api/v2/orchard-labs/apps/1/channels/",
        "/api/v2/orchard-labs/apps/1/channels/android/",
        "/api/v2/orchard-labs/apps/1/channels/android/accesskeys/",
        "/api/v2/orchard-labs/apps/1/channels/android/accesskeys/1/2",
        "/api/v2/orchard-labs/apps/1/channels/android/components",
        "/api/v2/orchard-labs/apps/1/channels/android/AccessKeys",
        "/api/v2/orchard-labs/apps/1/channel/android/accesskeys",
        "/api/v2/orchard-labs/conversations",
        "/api/v2//apps/1/channels/android",
        "/api/v2/orchard-labs/apps/1/android",
        "/api/v2/orchard-labs/apps/1/android/accesskeys",
        "/api/v2/orchard-labs/apps/1/android/channels",
        "/api/v2/orchard-labs/apps/1/android/channels/accesskeys/1",
        "/api/v2/orchard-labs/apps/1/channels/channels/accesskeys",
        "/api/v2/orchard-labs/apps/1/channels/accesskeys/1",
        "/api/v2/orchard-labs/apps/1/channels/accesskeys/accesskeys",
    ],
)
def test_an_unknown_path_is_an_invalid_url(untouched: Portal, method: str, path: str) -> None:
    answer = untouched.bundle.request(method, path)
    assert_refused(answer, 1006)
    assert answer.calls == ()


@pytest.mark.parametrize("tail", sorted({operation.tail for operation in OPERATIONS.values()}))
@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_known_path_does_not_answer_to_another_method(untouched: Portal, tail: str, kind: str) -> None:
    path = f"/api/v2/{untouched.world.tenant}/apps/{untouched.app.id}{tail.format(kind=kind, version=1)}"
    for method in METHODS - {operation.method for operation in OPERATIONS.values() if operation.tail == tail}:
        answer = untouched.bundle.request(method, path, untouched.authorization)
        assert_refused(answer, 1004)
        assert answer.calls == ()


@pytest.mark.parametrize("method", sorted(METHODS - {"POST"}))
def test_the_token_endpoint_answers_to_post_alone(untouched: Portal, method: str) -> None:
    answer = untouched.bundle.request(method, "/oauth/v2/token?grant_type=refresh_token")
    assert_refused(answer, 1004)
    assert answer.calls == ()


@pytest.mark.parametrize("tail", sorted({operation.tail for operation in OPERATIONS.values()}))
@pytest.mark.parametrize(
    "part",
    [
        {"kind": "windows"},
        {"kind": "Android"},
        {"kind": "android%20"},
        {"kind": "android%0A"},
        {"kind": "ios%00"},
        {"kind": "channels"},
        {"app": "abc"},
        {"app": "1a"},
        {"app": "-1"},
        {"app": "1.0"},
        {"app": "%201"},
        {"app": "1%0A"},
        {"app": "1%2F2"},
        {"app": "%D9%A1"},
        {"version": "a"},
        {"version": "-1"},
        {"version": "+1"},
        {"version": "1.0"},
        {"version": "1%0A"},
        {"version": "1%20"},
        {"version": "%D9%A1"},
    ],
    ids=str,
)
def test_a_wrong_part_of_a_path_comes_before_a_wrong_method(untouched: Portal, tail: str, part: dict[str, str]) -> None:
    if "version" in part and "{version}" not in tail:
        tail = "/channels/{kind}/accesskeys/{version}"
    parts = {"app": "1", "kind": "android", "version": "1", **part}
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        answer = untouched.bundle.request(
            method, "/api/v2/orchard-labs/apps/{app}".format(**parts) + tail.format(**parts)
        )
        assert_refused(answer, 1006)
        assert answer.calls == ()


def test_a_part_may_be_percent_encoded(untouched: Portal) -> None:
    path = untouched.path("%61ndroid", keys=True, app="%31%32", portal=untouched.world.tenant.replace("-", "%2D"))
    answer = untouched.bundle.request("POST", path, untouched.authorization)
    assert_refused(answer, 1019)


def test_a_query_is_not_looked_at(portal: Portal) -> None:
    portal.open_channel()
    path = portal.path(keys=True)
    answer = portal.bundle.request("POST", f"{path}?include=all&include=none&x=%00", portal.authorization)
    assert answer.json()["url"] == path
