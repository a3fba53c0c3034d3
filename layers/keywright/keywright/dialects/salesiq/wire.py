"""Shapes of this dialect, their members in the order of the vendor's samples. Times are strings of epoch milliseconds.

The pages about access keys spell every switch as a string, those that make and switch a channel the channel's own and
its keys' as booleans: so do we. Whoever sends a switch may spell it either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from keywright import model
from keywright.dialects.salesiq.channels import Shown
from keywright.dialects.salesiq.oauth import Minted
from keywright.model import Key, Platform
from keywright.tokens import Token

Switch = bool | Literal["true", "false"]
Spelling = Callable[[bool], Switch]


def in_words(switch: bool) -> Switch:
    return "true" if switch else "false"


def _is_none(value: object) -> bool:
    return value is None


def _from_words(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


_SPELLED = "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$"
Switching = Annotated[
    bool,
    BeforeValidator(_from_words),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": _SPELLED}]}),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Enabled(_Body):
    """Of what a channel or an access key is to be."""

    enabled: Switching


class IsEnabled(_Body):
    """The same, as the vendor's page rest-api-app-android-update-version.html has it."""

    is_enabled: Switching


class NewChannel(_Body):
    """Of create channel. `bundle_name` is a package name or a bundle id; its limits are ours."""

    bundle_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,255}$")]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class MadeBy(_Answer):
    """The operator behind the token, as it was called then."""

    name: str
    id: str

    @classmethod
    def of(cls, creator: model.Creator) -> MadeBy:
        return cls(name=creator.name, id=creator.id)


class AccessKey(_Answer):
    """One version. `enabled` is said of what verifies: with the key as a whole switched off, no version does."""

    version: str
    enabled: Switch
    key: str
    uuid: str
    creator: MadeBy
    created_time: str


class MobileDevice(_Answer):
    mobileid: str
    user_id: str
    model: str
    name: str


class MobileDevices(_Answer):
    production: list[MobileDevice]


class Notifications(_Answer):
    """Of an android channel."""

    password: str = ""
    enabled: Literal["true", "false"] = "false"


class SandboxNotifications(_Answer):
    """Of an ios channel, which has its devices here."""

    certificate: str = ""
    password: str = ""
    enabled: Literal["true", "false"] = "false"
    test_devices: list[MobileDevice]


class ChannelData(_Answer):
    """A whole channel; `enabled` stands only in the answers of the channel's own endpoints."""

    enabled: Annotated[Switch | None, Field(exclude_if=_is_none)] = None
    modified_time: str
    creator: MadeBy
    app_key: str
    access_keys: list[AccessKey]
    bundle_name: str
    components: list[str]
    created_time: str
    notifications: Annotated[Notifications | None, Field(exclude_if=_is_none)] = None
    sandbox_notifications: Annotated[SandboxNotifications | None, Field(exclude_if=_is_none)] = None
    bundle_id: str
    code: str
    app_name: str
    test_devices: Annotated[MobileDevices | None, Field(exclude_if=_is_none)] = None


class ChannelAnswer(_Answer):
    """`object` is ``list`` with access keys, although `data` is one channel, and the channel's kind elsewhere."""

    url: str
    object: Literal["list", "android", "ios"]
    data: ChannelData

    @classmethod
    def of_access_keys(cls, url: str, shown: Shown) -> ChannelAnswer:
        return cls(url=url, object="list", data=_data(shown, in_words))

    @classmethod
    def of_channel(cls, url: str, shown: Shown, spelling: Spelling = bool) -> ChannelAnswer:
        data = _data(shown, spelling).model_copy(update={"enabled": spelling(shown.channel.enabled)})
        return cls(url=url, object=shown.channel.platform.value, data=data)


class AccessKeysAnswer(_Answer):
    """The access keys alone."""

    url: str
    object: Literal["accesskeys"] = "accesskeys"
    data: list[AccessKey]

    @classmethod
    def of(cls, url: str, key: Key, tokens: Mapping[int, Token]) -> AccessKeysAnswer:
        return cls(url=url, data=_access_keys(key, tokens, in_words))


class AccessToken(_Answer):
    """RFC 6749 5.1. `scope` is named to a client that could not know it."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    scope: Annotated[str | None, Field(exclude_if=_is_none)] = None

    @classmethod
    def of(cls, minted: Minted) -> AccessToken:
        return cls(
            access_token=minted.issued.token.reveal(),
            expires_in=minted.lives_ms // 1000,
            scope=" ".join(minted.issued.key.scopes) if minted.scopes_are_news else None,
        )


def _data(shown: Shown, spelling: Spelling) -> ChannelData:
    channel, key = shown.channel, shown.key
    devices = [MobileDevice(**device) for device in channel.test_devices]
    android = channel.platform is Platform.ANDROID
    return ChannelData(
        modified_time=str(max(channel.modified_at_ms, key.modified_at_ms)),
        creator=MadeBy.of(channel.creator),
        app_key=shown.app_key.reveal(),
        access_keys=_access_keys(key, shown.tokens, spelling),
        bundle_name=channel.bundle_name,
        components=list(channel.components),
        created_time=str(channel.created_at_ms),
        notifications=Notifications.model_validate(channel.notifications) if android else None,
        sandbox_notifications=None
        if android
        else SandboxNotifications.model_validate({**channel.notifications, "test_devices": devices}),
        bundle_id=channel.bundle_id,
        code=channel.code,
        app_name=shown.app.name,
        test_devices=MobileDevices(production=devices) if android else None,
    )


def _access_keys(key: Key, tokens: Mapping[int, Token], spelling: Spelling) -> list[AccessKey]:
    """Newest first."""
    return [
        AccessKey(
            version=str(version.number),
            enabled=spelling(key.enabled and version.enabled),
            key=tokens[version.number].reveal(),
            uuid=version.serial,
            creator=MadeBy.of(version.creator),
            created_time=str(version.created_at_ms),
        )
        for version in reversed(key.standing)
    ]
