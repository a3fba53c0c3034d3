"""Keys that are handed over by a one-time link, and the links themselves."""

from __future__ import annotations

from keywright import handover, issuing, rotation
from keywright.access import Principal
from keywright.dialects.native import wire
from keywright.handover import Along
from keywright.issuing import Order
from keywright.model import Key
from keywright.ports import Desk


def issue(desk: Desk, caller: Principal, order: Order, hand_over: wire.HandOver | None, url: str) -> wire.IssuedKey:
    """Raises as `issuing.issue` does."""
    if hand_over is None:
        return wire.IssuedKey.of_issued(issuing.issue(desk, caller, order), desk.clock.now_ms())
    along = Along(desk, caller, hand_over.expires_in * 1000)
    issued = issuing.issue(desk, caller, order, also=along)
    return wire.IssuedKey.handed_over(issued.key, along.made, url, desk.clock.now_ms())


def rotate(desk: Desk, caller: Principal, key: Key, body: wire.RotateKey, url: str) -> wire.IssuedKey:
    """Raises as `rotation.rotate` does."""
    if body.hand_over is None:
        issued = rotation.rotate(desk, caller, key, overlap_ms=body.overlap_ms)
        return wire.IssuedKey.of_issued(issued, desk.clock.now_ms())
    along = Along(desk, caller, body.hand_over.expires_in * 1000)
    issued = rotation.rotate(desk, caller, key, overlap_ms=body.overlap_ms, also=along)
    return wire.IssuedKey.handed_over(issued.key, along.made, url, desk.clock.now_ms())


def create(desk: Desk, caller: Principal, key: Key, body: wire.CreateLink, url: str) -> wire.CreatedLink:
    """Raises as `handover.create` does."""
    made = handover.create(
        desk,
        caller,
        key,
        lambda token: wire.link_url(url, token),
        lifetime_ms=body.expires_in * 1000,
        email=body.email or "",
    )
    return wire.CreatedLink.of_made(made, url, desk.clock.now_ms())
