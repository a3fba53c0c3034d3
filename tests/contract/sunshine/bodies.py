"""Bodies that are refused, by whichever operation creates a key, with the titles of the refusal."""

from __future__ import annotations

from typing import Any, Final

TITLES: Final[dict[str, tuple[Any, list[str]]]] = {
    "no name": ({}, ["should have required property 'displayName'"]),
    "a null": ({"displayName": None}, ["displayName should be string"]),
    "a number": ({"displayName": 7}, ["displayName should be string"]),
    "a boolean": ({"displayName": True}, ["displayName should be string"]),
    "a list": ({"displayName": ["x"]}, ["displayName should be string"]),
    "an object": ({"displayName": {"x": "y"}}, ["displayName should be string"]),
    "an empty name": ({"displayName": ""}, ["displayName should NOT be shorter than 1 characters"]),
    "101 characters": ({"displayName": "x" * 101}, ["displayName should NOT be longer than 100 characters"]),
    "a line break": ({"displayName": "a\nb"}, ["displayName should be printable"]),
    "a null character": ({"displayName": "a\0"}, ["displayName should be printable"]),
    "a C1 control": ({"displayName": "\x85"}, ["displayName should be printable"]),
    "a line separator": ({"displayName": "\u2028"}, ["displayName should be printable"]),
    "a lone surrogate": ({"displayName": "\ud800"}, ["displayName should be printable"]),
    "an unknown member": ({"displayName": "x", "scope": "app"}, ["should NOT have additional properties"]),
    "two unknown members": ({"displayName": "x", "id": "y", "secret": "z"}, ["should NOT have additional properties"]),
    "snake case": (
        {"display_name": "x"},
        ["should have required property 'displayName'", "should NOT have additional properties"],
    ),
    "two faults": (
        {"displayName": "", "more": 1},
        ["displayName should NOT be shorter than 1 characters", "should NOT have additional properties"],
    ),
}

UNREADABLE: Final[dict[str, bytes]] = {
    "nothing": b"",
    "a space": b" ",
    "no JSON": b"displayName=x",
    "half of it": b'{"displayName": "x"',
    "two of them": b'{"displayName":"x"}{}',
    "a list": b'[{"displayName":"x"}]',
    "a string": b'"displayName"',
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"displayName":NaN}',
    "a member twice": b'{"displayName":"x","displayName":"y"}',
    "a comment": b'{"displayName":"x"} // x',
    "a byte order mark": b'\xef\xbb\xbf{"displayName":"x"}',
    "no UTF-8": b'{"displayName":"\xff"}',
    "UTF-16": '{"displayName":"x"}'.encode("utf-16"),
    "a bare control character": b'{"displayName":"\x01"}',
    "nine levels": b'{"displayName":' + b"[" * 9 + b"]" * 9 + b"}",
    "a thousand levels": b"[" * 30_000,
    "a member that is no text": b'{"displayName":"x","\\ud800":1}',
    "a long number": b'{"displayName":' + b"9" * 5_000 + b"}",
}
