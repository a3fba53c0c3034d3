"""What this dialect does with channels. A request is about one of them, named by portal, app and kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from keywright import audit, errors, issuing, lifecycle, registry
from keywright.access import Principal
from keywright.audit import Stored
from keywright.edge import Request
from keywright.model import (
    OPERATOR_ENABLED,
    App,
    Channel,
    Creator,
    Key,
    Operator,
    OwnerKind,
    OwnerRef,
    Platform,
    Version,
)
from keywright.ports import Desk, OwnerAt, Record, Require, SingleKeyRef, Write
from keywright.tokens import Token

_NUMBER: Final = re.compile(r"[0-9]+")
_LONGEST_APP_ID: Final = 64
"""As the registry has it; an app of a longer id is looked for nowhere."""
_APP: Final = r"(?P<app>/api/v2/[^/]+/apps/(?P<appId>[^/]+))"
_ADDRESSES: Final = (
    re.compile(_APP + r"/channels/(?P<kind>[^/]+)(?P<keys>(?:/accesskeys(?:/(?P<version>[^/]+))?)?)"),
    re.compile(_APP + r"/(?P<kind>[^/]+)/channels(?P<keys>/accesskeys)"),
    re.compile(_APP + r"/(?P<kind>[^/]+)(?P<keys>/accesskeys/(?P<version>[^/]+))"),
)
"""The vendor's usual address, and two that its pages list access keys and change one at. An address that could be read
in two of these ways has a wrong kind in each."""


@dataclass(frozen=True, slots=True)
class Present:
    """An app, a channel of it and the channel's key: all of them are there."""

    app: App
    channel: Channel
    key: Key


@dataclass(frozen=True, slots=True)
class Located:
    """What a request is about, as it was when it was read: one `version` of the channel's key, or the channel.

    The app, the channel and its key may be missing: this dialect says so only after it has looked at the body.
    """

    url: str
    platform: Platform
    operator: Operator
    app: App | None
    channel: Channel | None
    key: Key | None
    version: str | None = None

    @property
    def creator(self) -> Creator:
        return Creator(self.operator.id, self.operator.name)

    @property
    def operator_stands(self) -> Require:
        return Require(self.operator.ref, (OPERATOR_ENABLED,))

    @property
    def both_stand(self) -> tuple[Require, Require]:
        """The operator and the channel: what every change of the channel's key depends on."""
        return self.operator_stands, Require(self.present().channel.ref)

    def present(self) -> Present:
        """Raises AppNotFound, ChannelNotFound."""
        if self.app is None:
            raise errors.AppNotFound
        if self.channel is None or self.key is None:
            raise errors.ChannelNotFound
        return Present(self.app, self.channel, self.key)


@dataclass(frozen=True, slots=True)
class Shown:
    """A channel of an app with all that its answer shows, the secrets in the clear: `tokens` by the number of their
    version."""

    app: App
    channel: Channel
    key: Key
    tokens: Mapping[int, Token]
    app_key: Token


def check_address(request: Request) -> None:
    """Raises PathUnknown where the app's id or the version is no number, or the kind none of ours.

    Of the catch-all's addresses too: a wrong part comes before a wrong method.
    """
    parts = request.path_parameters
    if "appId" not in parts:
        if (found := _read(request.path)) is None:
            return
        parts = {name: unquote(part) for name, part in found.groupdict().items() if part is not None}
    numbers = (parts[name] for name in ("appId", "version") if name in parts)
    if not all(map(_NUMBER.fullmatch, numbers)) or parts["kind"] not in set(Platform):
        raise errors.PathUnknown


def _read(path: str) -> re.Match[str] | None:
    return next(filter(None, (address.fullmatch(path) for address in _ADDRESSES)), None)


def _usual(path: str) -> str:
    """The usual spelling of an address, by which every answer names itself."""
    return path if (found := _read(path)) is None else found.expand(r"\g<app>/channels/\g<kind>\g<keys>")


def locate(desk: Desk, request: Request, caller: Principal) -> Located:
    """Reads all that the request is about, at once. Raises TenantNotFound for another portal than the caller's,
    OperatorDisabled where the operator behind the credential is switched off or gone."""
    parts = request.path_parameters
    if parts["screenname"] != caller.tenant:
        raise errors.TenantNotFound
    platform = Platform(parts["kind"])
    operator_at = OwnerAt(caller.owner)
    app_at = OwnerAt(OwnerRef(caller.tenant, OwnerKind.APP, parts["appId"]))
    channel_at = OwnerAt(OwnerRef(caller.tenant, OwnerKind.CHANNEL, Channel.id_of(parts["appId"], platform)))
    key_at = SingleKeyRef(channel_at.owner)
    known = len(parts["appId"]) <= _LONGEST_APP_ID
    read = desk.store.read(operator_at, *((app_at, channel_at, key_at) if known else ()))
    operator = read[operator_at]
    if not isinstance(operator, Operator) or not operator.enabled:
        raise errors.OperatorDisabled
    if not known:
        return Located(_usual(request.path), platform, operator, None, None, None)
    app, channel = read[app_at], read[channel_at]
    assert isinstance(app, App | None)
    assert isinstance(channel, Channel | None)
    return Located(_usual(request.path), platform, operator, app, channel, read[key_at], parts.get("version"))


def issue_access_key(desk: Desk, caller: Principal, at: Located) -> Shown:
    """The next version of the channel's access key; of four the oldest goes.

    What the answer shows of stored secrets is revealed before anything is written, so that a vault that does not answer
    leaves the channel as it was. Raises AppNotFound, ChannelNotFound, Stale.
    """
    there = at.present()
    app_key, tokens, revealed = _opened(desk, caller, there, there.key.retained)
    also: tuple[Write, ...] = (*at.both_stand, *revealed)
    issued = issuing.issue_version(desk, caller, there.key, creator=at.creator, also=lambda _: also)
    return Shown(there.app, there.channel, issued.key, {**tokens, issued.key.newest.number: issued.token}, app_key)


def access_keys(desk: Desk, caller: Principal, at: Located) -> tuple[Key, Mapping[int, Token]]:
    """The channel's key, and the tokens of its versions by their numbers. Raises AppNotFound, ChannelNotFound."""
    key = at.present().key
    tokens = audit.reveal(desk, caller, (Stored.of(key, version) for version in key.standing))
    return key, _numbered(key.standing, tokens)


def switch_access_key(desk: Desk, caller: Principal, at: Located, *, enabled: bool) -> Shown:
    """One version on or off. Secrets are revealed first, as above. Raises AppNotFound, ChannelNotFound, KeyNotFound,
    Stale."""
    there = at.present()
    version = _version(there.key, at.version)
    app_key, tokens, revealed = _opened(desk, caller, there, there.key.standing)
    also: tuple[Write, ...] = (*at.both_stand, *revealed)
    key = lifecycle.switch_version(desk, caller, there.key, version.number, enabled=enabled, also=also)
    if key is there.key:
        audit.commit(desk, revealed)
    return Shown(there.app, there.channel, key, tokens, app_key)


def delete_access_key(desk: Desk, caller: Principal, at: Located) -> Shown:
    """One version gone for good, even the last. Secrets are revealed first, as above. Raises as `switch_access_key`."""
    there = at.present()
    gone = _version(there.key, at.version)
    staying = (version for version in there.key.standing if version is not gone)
    app_key, tokens, revealed = _opened(desk, caller, there, staying)
    key = lifecycle.delete_version(desk, caller, there.key, gone.number, also=(*at.both_stand, *revealed))
    return Shown(there.app, there.channel, key, tokens, app_key)


def create(desk: Desk, caller: Principal, at: Located, bundle_name: str) -> Shown:
    """A channel with version 1 of its access key. Raises AppNotFound, OwnerExists, Stale."""
    if at.app is None:
        raise errors.AppNotFound
    if at.channel is not None:
        raise errors.OwnerExists
    opened = registry.add_channel(
        desk,
        caller,
        at.app,
        platform=at.platform,
        bundle_name=bundle_name,
        creator=at.creator,
        also=(at.operator_stands,),
    )
    return Shown(opened.app, opened.channel, opened.key, {opened.key.newest.number: opened.token}, opened.pairing)


def channel(desk: Desk, caller: Principal, at: Located) -> Shown:
    """The channel as it is. Raises AppNotFound, ChannelNotFound."""
    shown, revealed = _as_it_is(desk, caller, at)
    audit.commit(desk, revealed)
    return shown


def switch(desk: Desk, caller: Principal, at: Located, *, enabled: bool) -> Shown:
    """The channel on or off, and verification of all its keys with it; one that is so already is not written.

    Secrets are revealed first, as above. Raises AppNotFound, ChannelNotFound, Stale.
    """
    shown, revealed = _as_it_is(desk, caller, at)
    if shown.channel.enabled is enabled:
        audit.commit(desk, revealed)
        return shown
    also: tuple[Write, ...] = (at.operator_stands, *revealed)
    return replace(shown, channel=registry.change(desk, caller, shown.channel, {"enabled": enabled}, also=also))


def _version(key: Key, number: str | None) -> Version:
    """The version of that number, as it is written: ``01`` is none's. Raises KeyNotFound."""
    found = next((version for version in key.standing if str(version.number) == number), None)
    if found is None:
        raise errors.KeyNotFound
    return found


def _as_it_is(desk: Desk, caller: Principal, at: Located) -> tuple[Shown, tuple[Record, ...]]:
    there = at.present()
    app_key, tokens, revealed = _opened(desk, caller, there, there.key.standing)
    return Shown(there.app, there.channel, there.key, tokens, app_key), revealed


def _opened(
    desk: Desk, caller: Principal, there: Present, versions: Iterable[Version]
) -> tuple[Token, dict[int, Token], tuple[Record, ...]]:
    """The app's key, the tokens of some versions by their numbers, and the records of all these reveals."""
    shown = tuple(versions)
    stored = [Stored.of(there.key, version) for version in shown]
    (app_key, *tokens), revealed = audit.opened(desk, caller, [registry.pairing_secret(there.app), *stored])
    return app_key, _numbered(shown, tokens), revealed


def _numbered(versions: Iterable[Version], tokens: Iterable[Token]) -> dict[int, Token]:
    return {version.number: token for version, token in zip(versions, tokens, strict=True)}
