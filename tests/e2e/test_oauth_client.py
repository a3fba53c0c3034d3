"""An OAuth client that others wrote, requests-oauthlib, logs in at the running gateway."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Running
from tests.e2e.gateway_client import Client

requests_oauthlib: Any = pytest.importorskip("requests_oauthlib")
oauth2: Any = pytest.importorskip("oauthlib.oauth2")


@pytest.fixture(autouse=True)
def over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it refuses by itself, and rightly so, wherever the gateway is not on the same machine."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def works(running: Running, token: str) -> bool:
    """Whether the vendor's endpoints take the token, under the vendor's own scheme."""
    values = running.values
    path = f"/api/v2/{values['SALESIQ_SCREENNAME']}/apps/{values['SALESIQ_APP_ID']}/channels/android/accesskeys"
    answer = Client(running).send("GET", path, {"Authorization": f"Zoho-oauthtoken {token}"})
    return "data" in answer.json()


def test_it_refreshes_its_access_token(running: Running) -> None:
    values = running.values
    held = {"access_token": "over", "refresh_token": values["SALESIQ_REFRESH_TOKEN"], "expires_in": -1}
    session = requests_oauthlib.OAuth2Session(values["SALESIQ_CLIENT_ID"], token=held)
    token = session.refresh_token(
        f"{running.url}/oauth/v2/token",
        client_id=values["SALESIQ_CLIENT_ID"],
        client_secret=values["SALESIQ_CLIENT_SECRET"],
    )
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert token["refresh_token"] == values["SALESIQ_REFRESH_TOKEN"]
    assert works(running, token["access_token"])


@pytest.mark.parametrize("by_header", [True, False])
def test_it_logs_in_with_its_own_credentials(running: Running, by_header: bool) -> None:
    values = running.values
    session = requests_oauthlib.OAuth2Session(client=oauth2.BackendApplicationClient(values["SALESIQ_CLIENT_ID"]))
    token = session.fetch_token(
        f"{running.url}/oauth/v2/token",
        client_secret=values["SALESIQ_CLIENT_SECRET"],
        include_client_id=not by_header,
    )
    assert token["scope"] == ["SalesIQ.apps.ALL"]
    assert works(running, token["access_token"])


def test_it_knows_our_refusals_as_those_of_the_standard(running: Running) -> None:
    values = running.values
    client = oauth2.BackendApplicationClient(values["SALESIQ_CLIENT_ID"])
    session = requests_oauthlib.OAuth2Session(client=client)
    url = f"{running.url}/oauth/v2/token"
    with pytest.raises(oauth2.InvalidClientError):
        session.fetch_token(url, client_secret="guessed")
    with pytest.raises(oauth2.InvalidScopeError):
        session.fetch_token(url, client_secret=values["SALESIQ_CLIENT_SECRET"], scope=["Desk.tickets.READ"])
    with pytest.raises(oauth2.InvalidGrantError):
        session.refresh_token(
            url,
            refresh_token="guessed",
            client_id=values["SALESIQ_CLIENT_ID"],
            client_secret=values["SALESIQ_CLIENT_SECRET"],
        )
