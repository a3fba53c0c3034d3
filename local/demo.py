"""The demo tenant: what a newcomer, the README and the committed events work with.

Its credentials are published, here. They are safe because a token is accepted only where its digest is in the table,
and nothing but this module, which is not part of the bundle, puts these there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from keywright import handover, issuing, lifecycle, registry, rotation
from keywright.access import Principal
from keywright.adapters.boto import BotoService
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.adapters.kms import KmsSecretVault
from keywright.adapters.unconfigured import NoMailer
from keywright.bootstrap import SystemClock
from keywright.issuing import Order
from keywright.model import DAY_MS, Creator, EventType, Key, KeyKind, Operator, OwnerRef, Platform, Tenant
from keywright.ports import Desk, SaveOwner, SaveTenant
from keywright.registry import INSTALLATION_SCOPES, TENANT_SCOPES
from keywright.tokens import Format, Token, generate, link_digest, new_link_token
from local.stack import Stack

TENANT: Final = "orchard-labs"
OPERATOR: Final = "21000000000017"
OPERATOR_TOKEN: Final = "kw_local_DemoOperatorOfTheLocalStackOpensNothingElse3oHUyt"
CLAIMS_TOKEN: Final = "kw_local_DemoClaimsTokenOfTheLocalStackOpensNothing04SR2l7"
ACCESS_TOKEN: Final = "1000.00000000000000000000000000000000.0000000000000000000000000000de00"
OAUTH_CLIENT_ID: Final = "client_000000000000000000000dec"
OAUTH_CLIENT_SECRET: Final = "Keywright-demo-OAuth-client_local-stack-only_it-opens-nothing-elsewhere_64-bytes-of-it"
REFRESH_TOKEN: Final = "1000.00000000000000000000000000000000.0000000000000000000000000000de01"
KEY_ID: Final = "key_000000000000000000000de0"
KEY_TOKEN: Final = "kw_local_DemoKeyOfTheLocalStackThatEventsSwitchOffOn2BgmAr"
KEY_ID_TO_REVOKE: Final = "key_000000000000000000000de1"
KEY_TOKEN_TO_REVOKE: Final = "kw_local_DemoKeyOfTheLocalStackThatOneEventRevokes004UnzZT"
KEY_ID_TO_ROTATE: Final = "key_000000000000000000000de3"
KEY_ID_TO_EXTEND: Final = "key_000000000000000000000de4"
KEY_ID_TO_CANCEL: Final = "key_000000000000000000000de5"
KEY_ID_TO_FINISH: Final = "key_000000000000000000000de6"
"""These three are being rotated."""
KEY_ID_TO_DELETE: Final = "key_000000000000000000000de7"
KEY_ID_TO_UNDELETE: Final = "key_000000000000000000000de8"
SAMPLE_KEY_ID: Final = "key_000000000000000000000de2"
KEY_TOKEN_TO_REVOKE_BY_HOLDER: Final = "kw_local_DemoKeyOfTheLocalStackThatItsHolderRevokes03RSvqI"
SAMPLE_KEY_TOKEN: Final = "kw_local_DemoKeyOfTheLocalStackThatTheSampleApiTakes2Wc4ge"
LINK_TOKEN: Final = "DemoLinkOfTheLocalStackLeadsToOneDemoKey000"
LINK_ID: Final = "link_000000000000000000000de0"
LINK_ID_TO_REVOKE: Final = "link_000000000000000000000de1"
EXPIRING_KEY_ID: Final = "key_0000000000000000000000de"
EXPIRES_AT_MS: Final = 4_102_444_800_000
"""2100-01-01; the demo operator is warned of it by events/streams/mail_warnings.json."""
REP_KEY: Final = "00000000-0000-4000-8000-0000000000DE"
REP_KEY_TO_REGENERATE: Final = "00000000-0000-4000-8000-0000000000DF"
REP_KEY_TO_DELETE: Final = "00000000-0000-4000-8000-0000000000E0"
APP_API_KEY: Final = "00000000-0000-4000-8000-0000000000a1"
APP_API_KEY_TO_DELETE: Final = "00000000-0000-4000-8000-0000000000a2"
SUNSHINE_SECRET: Final = "Keywright-demo-secret_local-stack-only_it-opens-nothing-elsewhere_sixty-four-bytes-of-"
SUNSHINE_ACCOUNT_SECRET: Final = (
    "Keywright-demo-secret-of-an-account_local-stack-only_it-opens-nothing-elsewhere_000000"
)
SUNSHINE_INTEGRATION_KEY_SECRET: Final = (
    "Keywright-demo-secret-of-a-bot_local-stack-only_it-opens-nothing-elsewhere_00000000000"
)
SUNSHINE_INTEGRATION_KEY_TO_DELETE_SECRET: Final = (
    "Keywright-demo-secret-one-event-ends_local-stack-only_it-opens-nothing-elsewhere_00000"
)
SUNSHINE_KEY_TO_DELETE_SECRET: Final = (
    "Keywright-demo-secret-another-ends_local-stack-only_it-opens-nothing-elsewhere_0000000"
)

SALESIQ_APP: Final = "70000000021003"
SUNSHINE_APP: Final = "5ed0f0a1b2c3d4e5f6a7b8c9"
SUNSHINE_INTEGRATION: Final = "5ed0f0a1b2c3d4e5f6a7b8ca"
SUNSHINE_KEY_ID: Final = "app_5ed0f0a1b2c3d4e5f6a7b8cb"
SUNSHINE_ACCOUNT_KEY_ID: Final = "act_5ed0f0a1b2c3d4e5f6a7b8cc"
SUNSHINE_INTEGRATION_KEY_ID: Final = "int_5ed0f0a1b2c3d4e5f6a7b8cd"
SUNSHINE_INTEGRATION_KEY_TO_DELETE_ID: Final = "int_5ed0f0a1b2c3d4e5f6a7b8ce"
SUNSHINE_KEY_TO_DELETE_ID: Final = "app_5ed0f0a1b2c3d4e5f6a7b8cf"
VOLTMX_APP: Final = "20417-5530918264"
VOLTMX_UNPUBLISHED_APP: Final = "20417-5530918265"
REP: Final = "meera.nair"
REP_WITHOUT_LOGIN: Final = "tomas.vega"
ADMINISTRATOR: Final = "priya.rao"
REP_WITH_KEY: Final = "lea.brun"
REP_WITH_KEY_TO_DELETE: Final = "jonas.falk"
VALUES: Final = (
    ("KEYWRIGHT_OPERATOR_TOKEN", OPERATOR_TOKEN),
    ("SAMPLE_KEY", SAMPLE_KEY_TOKEN),
    ("SALESIQ_SCREENNAME", TENANT),
    ("SALESIQ_APP_ID", SALESIQ_APP),
    ("SALESIQ_AUTHORIZATION", f"Zoho-oauthtoken {ACCESS_TOKEN}"),
    ("SALESIQ_CLIENT_ID", OAUTH_CLIENT_ID),
    ("SALESIQ_CLIENT_SECRET", OAUTH_CLIENT_SECRET),
    ("SALESIQ_REFRESH_TOKEN", REFRESH_TOKEN),
    ("SUNSHINE_APP_ID", SUNSHINE_APP),
    ("SUNSHINE_INTEGRATION_ID", SUNSHINE_INTEGRATION),
    ("SUNSHINE_KEY_ID", SUNSHINE_KEY_ID),
    ("SUNSHINE_KEY_SECRET", SUNSHINE_SECRET),
    ("SUNSHINE_ACCOUNT_KEY_ID", SUNSHINE_ACCOUNT_KEY_ID),
    ("SUNSHINE_ACCOUNT_KEY_SECRET", SUNSHINE_ACCOUNT_SECRET),
    ("VOLTMX_APP_ID", VOLTMX_APP),
    ("VOLTMX_UNPUBLISHED_APP_ID", VOLTMX_UNPUBLISHED_APP),
    ("VOLTMX_AUTHORIZATION", CLAIMS_TOKEN),
    ("VOLTMX_APP_API_KEY", APP_API_KEY),
    ("VOLTMX_USERID", OPERATOR),
    ("VOLTMX_PASSWORD", OPERATOR_TOKEN),
    ("SUPPORTCENTER_REP", REP),
    ("SUPPORTCENTER_REP_WITHOUT_LOGIN", REP_WITHOUT_LOGIN),
    ("SUPPORTCENTER_APIKEY", REP_KEY),
)
"""What ``.local/demo.env`` holds, by the names of its variables."""


def desk(stack: Stack) -> Desk:
    """The ports over the stack, with an administrator's rights."""
    table, key = next(iter(stack.template.tables.values())), next(iter(stack.template.keys.values()))
    return Desk(
        store=DynamoDBKeyStore(BotoService(stack.client("dynamodb")), table.name),
        vault=KmsSecretVault(BotoService(stack.client("kms")), key.arn),
        mailer=NoMailer(),
        clock=SystemClock(),
        stage="local",
    )


def seed(stack: Stack) -> Sequence[tuple[str, str]]:
    """Makes the tenant and its owners and callers; returns what ``.local/demo.env`` holds."""
    at = desk(stack)
    now_ms = at.clock.now_ms()
    operator = Operator(
        tenant=TENANT,
        id=OPERATOR,
        name="Imani",
        email="imani@example.com",
        created_at_ms=now_ms,
        modified_at_ms=now_ms,
    )
    at.store.commit(SaveTenant(Tenant(TENANT, "Orchard Labs", now_ms)), SaveOwner(operator))
    caller = Principal("demo", KeyKind.NATIVE, operator.ref, TENANT_SCOPES)

    def admit(kind: KeyKind, owner: OwnerRef, token: str, *scopes: str, key_id: str | None = None) -> Key:
        return _admit(
            at, caller, Order(kind=kind, owner=owner, description="demo", scopes=scopes), Token(token), key_id
        )

    admit(KeyKind.NATIVE, operator.ref, OPERATOR_TOKEN, *INSTALLATION_SCOPES)
    admit(KeyKind.NATIVE, operator.ref, CLAIMS_TOKEN, "keys:*")
    admit(KeyKind.ACCESS_TOKEN, operator.ref, ACCESS_TOKEN, "SalesIQ.apps.ALL")

    admit(KeyKind.OAUTH_CLIENT, operator.ref, OAUTH_CLIENT_SECRET, "SalesIQ.apps.ALL", key_id=OAUTH_CLIENT_ID)
    refresh = Order(
        kind=KeyKind.REFRESH_TOKEN,
        owner=operator.ref,
        description="demo",
        scopes=("SalesIQ.apps.ALL",),
        pairing_digest=Token(OAUTH_CLIENT_SECRET).digest,
    )
    _admit(at, caller, refresh, Token(REFRESH_TOKEN), None)

    app = registry.add_app(at, caller, id=SALESIQ_APP, name="Orchard")
    registry.add_channel(
        at,
        caller,
        app,
        platform=Platform.ANDROID,
        bundle_name="com.example.orchard",
        creator=caller.creator(operator.name),
    )

    sunshine = registry.add_app(at, caller, id=SUNSHINE_APP, name="Orchard care")
    bot = registry.add_integration(at, caller, id=SUNSHINE_INTEGRATION, app_id=SUNSHINE_APP, name="Billing bot").ref
    admit(KeyKind.ACCOUNT_SECRET, operator.ref, SUNSHINE_ACCOUNT_SECRET, key_id=SUNSHINE_ACCOUNT_KEY_ID)
    admit(KeyKind.APP_SECRET, sunshine.ref, SUNSHINE_SECRET, key_id=SUNSHINE_KEY_ID)
    admit(KeyKind.APP_SECRET, sunshine.ref, SUNSHINE_KEY_TO_DELETE_SECRET, key_id=SUNSHINE_KEY_TO_DELETE_ID)
    admit(KeyKind.INTEGRATION_SECRET, bot, SUNSHINE_INTEGRATION_KEY_SECRET, key_id=SUNSHINE_INTEGRATION_KEY_ID)
    admit(
        KeyKind.INTEGRATION_SECRET,
        bot,
        SUNSHINE_INTEGRATION_KEY_TO_DELETE_SECRET,
        key_id=SUNSHINE_INTEGRATION_KEY_TO_DELETE_ID,
    )
    _link_to(at, caller, admit(KeyKind.NATIVE, sunshine.ref, KEY_TOKEN, key_id=KEY_ID))
    admit(KeyKind.NATIVE, sunshine.ref, KEY_TOKEN_TO_REVOKE, key_id=KEY_ID_TO_REVOKE)
    admit(KeyKind.NATIVE, sunshine.ref, KEY_TOKEN_TO_REVOKE_BY_HOLDER)
    admit(KeyKind.NATIVE, sunshine.ref, SAMPLE_KEY_TOKEN, "orders:read", key_id=SAMPLE_KEY_ID)
    _admit_for_what_ends(at, caller, Order(kind=KeyKind.NATIVE, owner=sunshine.ref, description="demo"))

    expiring = Order(kind=KeyKind.NATIVE, owner=operator.ref, description="tills, demo", expires_at_ms=EXPIRES_AT_MS)
    _admit(at, caller, expiring, generate(Format.NATIVE, stage="local"), EXPIRING_KEY_ID)

    tills = registry.add_app(at, caller, id=VOLTMX_APP, name="Orchard tills", published=True)
    admit(KeyKind.APP_API_KEY, tills.ref, APP_API_KEY)
    admit(KeyKind.APP_API_KEY, tills.ref, APP_API_KEY_TO_DELETE)
    registry.add_app(at, caller, id=VOLTMX_UNPUBLISHED_APP, name="Orchard tills, next", published=False)

    registry.add_support_rep(at, caller, id=REP, name="Meera Nair", role="SDCoordinator", business_unit="Retail")
    registry.add_support_rep(
        at, caller, id=REP_WITHOUT_LOGIN, name="Tomas Vega", login_enabled=False, role="SDGuest", business_unit="Trade"
    )
    admin = registry.add_support_rep(at, caller, id=ADMINISTRATOR, name="Priya Rao", role="SDAdmin")
    admit(KeyKind.REP_KEY, admin.ref, REP_KEY)
    holder = registry.add_support_rep(
        at, caller, id=REP_WITH_KEY, name="Léa Brun", role="SDCoordinator", business_unit="Trade"
    )
    admit(KeyKind.REP_KEY, holder.ref, REP_KEY_TO_REGENERATE)
    leaver = registry.add_support_rep(
        at, caller, id=REP_WITH_KEY_TO_DELETE, name="Jonas Falk", role="SDGuest", business_unit="Trade"
    )
    admit(KeyKind.REP_KEY, leaver.ref, REP_KEY_TO_DELETE)

    return VALUES


def examples(url: str, values: Sequence[tuple[str, str]]) -> list[str]:
    """One request a dialect, to paste into a shell."""
    given: Mapping[str, str] = dict(values)
    native = f"""\
# Native: a key for the demo operator
curl -sX POST {url}/v1/keys -H 'Authorization: Bearer {given["KEYWRIGHT_OPERATOR_TOKEN"]}' \\
  -H 'Content-Type: application/json' -d '{{"owner": {{"kind": "operator", "id": "{OPERATOR}"}}}}'"""
    salesiq = f"""\
# Zoho SalesIQ: create access key
curl -sX POST {url}/api/v2/{TENANT}/apps/{SALESIQ_APP}/channels/android/accesskeys \\
  -H 'Authorization: {given["SALESIQ_AUTHORIZATION"]}'"""
    supportcenter = f"""\
# SupportCenter Plus: generate API key
curl -sX POST {url}/api/json/generateApiKey -d apikey={REP_KEY} -d supportRep={REP}"""
    sunshine = f"""\
# Sunshine Conversations: create integration key
curl -sX POST {url}/v2/apps/{SUNSHINE_APP}/integrations/{SUNSHINE_INTEGRATION}/keys \\
  -u '{SUNSHINE_KEY_ID}:{SUNSHINE_SECRET}' \\
  -H 'Content-Type: application/json' -d '{{"displayName": "My custom key"}}'"""
    voltmx = f"""\
# Volt MX Foundry Engagement: add App API key
curl -sX POST {url}/api/v1/applications/key -H 'X-VoltMX-Authorization: {CLAIMS_TOKEN}' \\
  -d appId={VOLTMX_APP} -d neverExpires=true -d description=tills"""
    return [native, salesiq, supportcenter, sunshine, voltmx]


def _admit_for_what_ends(at: Desk, caller: Principal, order: Order) -> None:
    """Keys that an event of its own ends each, or takes through a rotation; nobody needs their tokens."""

    def admit(key_id: str) -> Key:
        return _admit(at, caller, order, generate(Format.NATIVE, stage=at.stage), key_id)

    for key_id in (KEY_ID_TO_ROTATE, KEY_ID_TO_DELETE):
        admit(key_id)
    for key_id in (KEY_ID_TO_EXTEND, KEY_ID_TO_CANCEL, KEY_ID_TO_FINISH):
        rotation.rotate(at, caller, admit(key_id), overlap_ms=DAY_MS)
    lifecycle.delete(at, caller, admit(KEY_ID_TO_UNDELETE))


def _link_to(at: Desk, caller: Principal, key: Key) -> None:
    """Two one-time links: one whose token is given, and one that an event takes back."""
    for link_id, token in ((LINK_ID, Token(LINK_TOKEN)), (LINK_ID_TO_REVOKE, new_link_token())):
        made = handover.draft(at, caller, key, lifetime_ms=handover.LONGEST_MS)
        link = replace(made.link, id=link_id, digest=link_digest(token.reveal()) or "")
        at.store.commit(*handover.creation(at, caller, link, key))


def _admit(at: Desk, caller: Principal, order: Order, token: Token, key_id: str | None) -> Key:
    """A key whose token is given and not generated."""
    draft, _ = issuing.draft_key(at, order, Creator(caller.owner.id, "Imani"))
    version = replace(draft.newest, digest=token.digest)
    key = issuing.sealed(at, replace(draft, id=key_id or draft.id, versions=(version,)), token)
    at.store.commit(*issuing.placement(key), issuing.record(at, caller, EventType.KEY_ISSUED, key))
    return key
