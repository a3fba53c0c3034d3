"""The vendor's own client from PyPI, pointed at the running gateway, manages the keys of integrations and of apps."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
from sunshine_conversations_client.api.app_keys_api import AppKeysApi
from sunshine_conversations_client.api.custom_integration_api_keys_api import CustomIntegrationApiKeysApi
from sunshine_conversations_client.api_client import ApiClient
from sunshine_conversations_client.configuration import Configuration
from sunshine_conversations_client.exceptions import (
    ApiException,
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from sunshine_conversations_client.model.api_key import ApiKey
from sunshine_conversations_client.model.app_key import AppKey
from sunshine_conversations_client.model.app_key_create_body import AppKeyCreateBody
from sunshine_conversations_client.model.integration_api_key import IntegrationApiKey

from tests.e2e.conftest import Running

UNKNOWN = "0123456789abcdef01234567"
NOT_FOUND = (404, {"errors": [{"code": "not_found", "title": "Resource not found"}]})
FORBIDDEN = (403, {"errors": [{"code": "forbidden", "title": "Forbidden"}]})
PREFIXES = pytest.mark.parametrize("prefix", ["", "/sc"])
SCHEMES = pytest.mark.parametrize("scheme", ["basic", "bearer"])


def native(running: Running, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(running.url + path, data=json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {running.values['KEYWRIGHT_OPERATOR_TOKEN']}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@pytest.fixture
def integration(running: Running) -> str:
    """A fresh one of the demo's app: the demo's own has room for ten keys only, and other tests use it."""
    order = {"kind": "integration", "app_id": running.values["SUNSHINE_APP_ID"], "name": "Billing bot"}
    owner = native(running, "/v1/owners", order)
    return str(owner["id"]).rpartition(":")[2]


@pytest.fixture
def app(running: Running) -> str:
    """A fresh one, for the same reason."""
    return str(native(running, "/v1/owners", {"kind": "app", "name": "Orchard deliveries"})["id"])


def pair(running: Running) -> tuple[str, str]:
    """Of the demo's app."""
    return running.values["SUNSHINE_KEY_ID"], running.values["SUNSHINE_KEY_SECRET"]


def account(running: Running) -> tuple[str, str]:
    return running.values["SUNSHINE_ACCOUNT_KEY_ID"], running.values["SUNSHINE_ACCOUNT_KEY_SECRET"]


def token(key_id: str, secret: str, scope: str) -> str:
    return jwt.encode({"scope": scope}, secret, algorithm="HS256", headers={"kid": key_id})


@contextmanager
def connected(
    running: Running, pair: tuple[str, str] | None = None, *, bearer: str | None = None, prefix: str = ""
) -> Iterator[ApiClient]:
    username, password = pair or (None, None)
    settings = Configuration(running.url + prefix, username=username, password=password, access_token=bearer)
    with ApiClient(settings) as opened:
        yield opened


@contextmanager
def client(
    running: Running, pair: tuple[str, str] | None = None, *, bearer: str | None = None, prefix: str = ""
) -> Iterator[CustomIntegrationApiKeysApi]:
    with connected(running, pair, bearer=bearer, prefix=prefix) as opened:
        yield CustomIntegrationApiKeysApi(opened)


@contextmanager
def caller(running: Running, pair: tuple[str, str], scope: str, scheme: str, prefix: str) -> Iterator[ApiClient]:
    """The same key, by either scheme."""
    if scheme == "basic":
        with connected(running, pair, prefix=prefix) as opened:
            yield opened
    else:
        with connected(running, bearer=token(*pair, scope), prefix=prefix) as opened:
            yield opened


def create(api: CustomIntegrationApiKeysApi, running: Running, integration: str, name: str = "Billing bot") -> ApiKey:
    app = running.values["SUNSHINE_APP_ID"]
    answer = api.create_custom_integration_key_with_http_info(app, integration, IntegrationApiKey(display_name=name))
    assert answer.status_code == 201
    assert answer.data.key is not None
    return answer.data.key


def is_valid(running: Running, key: ApiKey | AppKey) -> bool:
    verdict = native(running, "/v1/keys/verify", {"key_id": key.id, "secret": key.secret})
    return verdict["valid"] is True and verdict["key_id"] == key.id


# --- the keys of an integration ------------------------------------------------------------------------------------


@PREFIXES
@SCHEMES
def test_it_creates_lists_gets_and_deletes_an_integrations_keys(
    running: Running, integration: str, scheme: str, prefix: str
) -> None:
    place = running.values["SUNSHINE_APP_ID"], integration
    with caller(running, pair(running), "app", scheme, prefix) as opened:
        api = CustomIntegrationApiKeysApi(opened)
        assert api.list_custom_integration_keys(*place).keys == []
        first, second = create(api, running, integration), create(api, running, integration, "Another bot")
        assert first.display_name == "Billing bot"
        assert api.list_custom_integration_keys(*place).keys == [first, second]
        assert second.id is not None
        assert api.get_custom_integration_key(*place, second.id).key == second
        assert (is_valid(running, first), is_valid(running, second)) == (True, True)

        answer = api.delete_custom_integration_key_with_http_info(*place, second.id)
        assert (answer.status_code, answer.data) == (200, {})
        assert api.list_custom_integration_keys(*place).keys == [first]
        assert (is_valid(running, first), is_valid(running, second)) == (True, False)
        for ask in (api.get_custom_integration_key, api.delete_custom_integration_key):
            assert refused(NotFoundException, ask, *place, second.id) == NOT_FOUND


def test_it_prefers_the_bearer_where_it_has_both(running: Running, integration: str) -> None:
    with client(running, pair(running), bearer="no.token.atall") as api, pytest.raises(UnauthorizedException):
        create(api, running, integration)


def test_the_created_key_signs_tokens_that_are_known_and_may_not_manage_keys(
    running: Running, integration: str
) -> None:
    place = running.values["SUNSHINE_APP_ID"], integration
    with client(running, pair(running)) as api:
        key = create(api, running, integration)
    assert key.id is not None
    assert key.secret is not None
    signed = token(key.id, key.secret, "integration")
    assert native(running, "/v1/jwt/verify", {"jwt": signed})["valid"] is True
    with client(running, bearer=signed) as api:
        assert refused(ForbiddenException, create, api, running, integration) == FORBIDDEN
        assert refused(ForbiddenException, api.list_custom_integration_keys, *place) == FORBIDDEN
        assert refused(ForbiddenException, api.get_custom_integration_key, *place, key.id) == FORBIDDEN
        assert refused(ForbiddenException, api.delete_custom_integration_key, *place, key.id) == FORBIDDEN
    with client(running, pair(running)) as api:
        api.delete_custom_integration_key(*place, key.id)
    with client(running, bearer=signed) as api:
        refusal = refused(UnauthorizedException, api.list_custom_integration_keys, *place)
        assert refusal == (401, {"errors": [{"code": "unauthorized", "title": "Authorization is required"}]})
    assert native(running, "/v1/jwt/verify", {"jwt": signed})["reason"] == "unknown"


def test_it_understands_the_refusals(running: Running, integration: str) -> None:
    place = running.values["SUNSHINE_APP_ID"], integration
    with client(running, pair(running)) as api:
        assert refused(NotFoundException, create, api, running, UNKNOWN) == (
            404,
            {"errors": [{"code": "integration_not_found", "title": "Integration not found"}]},
        )
        assert refused(BadRequestException, create, api, running, integration, "") == (
            400,
            {"errors": [{"code": "bad_request", "title": "displayName should NOT be shorter than 1 characters"}]},
        )
        assert refused(NotFoundException, api.get_custom_integration_key, *place, f"int_{UNKNOWN}") == NOT_FOUND
    with client(running, (pair(running)[0], "wrong")) as api:
        assert refused(UnauthorizedException, create, api, running, integration) == (
            401,
            {"errors": [{"code": "unauthorized", "title": "Authorization is required"}]},
        )


def test_it_is_told_of_the_tenth_key_being_the_last(running: Running, integration: str) -> None:
    with client(running, pair(running)) as api:
        ids = {create(api, running, integration).id for _ in range(10)}
        refusal = refused(BadRequestException, create, api, running, integration)
    assert len(ids) == 10
    title = "Integration has reached the max number of keys (10)"
    assert refusal == (400, {"errors": [{"code": "too_many_keys", "title": title}]})


# --- the keys of an app --------------------------------------------------------------------------------------------


@PREFIXES
@SCHEMES
def test_it_creates_lists_gets_and_deletes_an_apps_keys(running: Running, app: str, scheme: str, prefix: str) -> None:
    with caller(running, account(running), "account", scheme, prefix) as opened:
        api = AppKeysApi(opened)
        assert api.list_app_keys(app).keys == []
        first, second = (create_app_key(api, app, name) for name in ("Deployment", "Deployment, next"))
        assert first.display_name == "Deployment"
        assert api.list_app_keys(app).keys == [first, second]
        assert second.id is not None
        assert api.get_app_key(app, second.id).key == second
        assert (is_valid(running, first), is_valid(running, second)) == (True, True)

        answer = api.delete_app_key_with_http_info(app, second.id)
        assert (answer.status_code, answer.data) == (200, {})
        assert api.list_app_keys(app).keys == [first]
        assert (is_valid(running, first), is_valid(running, second)) == (True, False)
        for ask in (api.get_app_key, api.delete_app_key):
            assert refused(NotFoundException, ask, app, second.id) == NOT_FOUND


def test_an_apps_own_key_manages_none_of_them(running: Running) -> None:
    app, own = running.values["SUNSHINE_APP_ID"], pair(running)[0]
    for scheme in ("basic", "bearer"):
        with caller(running, pair(running), "app", scheme, "") as opened:
            api = AppKeysApi(opened)
            assert refused(ForbiddenException, api.list_app_keys, app) == FORBIDDEN
            assert refused(ForbiddenException, api.get_app_key, app, own) == FORBIDDEN
            assert refused(ForbiddenException, api.delete_app_key, app, own) == FORBIDDEN
            assert refused(ForbiddenException, create_app_key, api, app) == FORBIDDEN


def test_it_is_told_of_an_apps_tenth_key_being_the_last(running: Running, app: str) -> None:
    with connected(running, account(running)) as opened:
        api = AppKeysApi(opened)
        assert len({create_app_key(api, app).id for _ in range(10)}) == 10
        refusal = refused(BadRequestException, create_app_key, api, app)
    title = "App has reached the max number of keys (10)"
    assert refusal == (400, {"errors": [{"code": "too_many_keys", "title": title}]})


def create_app_key(api: AppKeysApi, app: str, name: str = "Deployment") -> AppKey:
    answer = api.create_app_key_with_http_info(app, AppKeyCreateBody(display_name=name))
    assert answer.status_code == 201
    assert answer.data.key is not None
    return answer.data.key


def refused(expected: type[ApiException], ask: Callable[..., object], *arguments: Any) -> tuple[int, Any]:
    with pytest.raises(expected) as raised:
        ask(*arguments)
    assert raised.value.status is not None
    return raised.value.status, json.loads(str(raised.value.body))
