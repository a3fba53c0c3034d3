"""Owners that are gone while their keys are there, as no change of ours leaves them."""

from __future__ import annotations

from keywright.model import Owner
from local.stack import Stack


def lose(stack: Stack, owner: Owner) -> None:
    """Takes an owner's row away behind everybody's back."""
    table = next(iter(stack.template.tables.values())).name
    row = {"pk": {"S": f"OWNERS#{owner.tenant}#{owner.kind}"}, "sk": {"S": owner.id}}
    assert "Attributes" in stack.client("dynamodb").delete_item(TableName=table, Key=row, ReturnValues="ALL_OLD")
