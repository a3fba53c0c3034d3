"""What keeps a secret one, counted.

T1, T11: a million tokens without a double, a hundred thousand guesses without a hit, and not a read for a wrong
checksum. T2: ciphertexts exchanged, flipped bit by bit and cut off, in moto's KMS. T12: JSON Web Tokens by hand and
their mutants. T18: whatever could break a line, in every field of a mail. R16: a canary for each secret of a whole run,
looked for in every sink and in every spelling; and leaks that are planted, so that the look is no idle one.
"""

from __future__ import annotations

import json
import logging
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from keywright import errors, jwt, tokens, verification
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.adapters.ses import SesMailer
from keywright.bootstrap import SystemClock
from keywright.mail import Letter, Warned
from keywright.model import RULES, KeyKind
from keywright.ports import Reading, SealedSecret
from keywright.tokens import Format, Token
from keywright.verification import Presented
from local import demo
from local.stack import Stack
from tests.contract.sunshine.test_bearer_tokens import FORGED, MALFORMED, UNSUITABLE, Hand
from tests.integration import test_canaries as canaries
from tests.integration.test_canaries import DESCRIBES, ECHOES, PLANTED, PUBLISHED, Run, everything_written, leaks, texts
from tests.integration.test_ses import BREAKS, Recorder
from tests.quick_table import Crashing
from tests.reliability.endpoints import ROOT
from tests.reliability.figures import NIGHTLY, Figures
from tests.reliability.stand_ins import Cloud
from tests.reliability.tables import new_table
from tests.unit.test_jwt import is_good, mutant, token
from tests.world import World

TOKENS = 1_000_000 if NIGHTLY else 20_000
GUESSES = 100_000 if NIGHTLY else 5_000
MUTANTS = 20_000 if NIGHTLY else 2_000
ROWS, ENVELOPES = (50, 10) if NIGHTLY else (8, 1)
run = canaries.run
"""The fixture: a whole run with a canary for each secret."""


# --- T1, T11 -------------------------------------------------------------------------------------------------------


def test_of_a_million_tokens_none_is_there_twice(figures: Figures) -> None:
    each = TOKENS // len(Format)
    for form in Format:
        made = {tokens.generate(form, stage="live").reveal() for _ in range(each)}
        assert len(made) == each
        assert all(tokens.recognise(text) is not None for text in [*made][:100])
        figures.add("T1", tokens_made=each, doubles=0)


def test_no_guess_opens_anything_and_a_wrong_checksum_is_not_looked_up(figures: Figures) -> None:
    cloud, reads = Cloud(new_table()), list[str]()
    world = World(cloud.desk())
    app = world.app(published=True)
    kinds = (KeyKind.NATIVE, KeyKind.APP_SECRET, KeyKind.APP_API_KEY)
    good = [world.issue(kind, app.ref) for kind in kinds]

    def read(operation: str, _: Mapping[str, Any]) -> None:
        reads.append(operation)

    desk = replace(world.desk, store=DynamoDBKeyStore(Crashing(cloud.table, read), "keys"))

    def opens(text: str) -> bool:
        return verification.verify(desk, world.tenant, Presented.token(text)).valid

    assert all(opens(issued.token.reveal()) for issued in good)
    for n in range(GUESSES):
        form = RULES[kinds[n % 3]].format
        assert not opens(tokens.generate(form, stage="test").reveal())
        if form is Format.NATIVE:
            mistyped = good[0].token.reveal()[:-1]
            guessed = tokens.generate(form, stage="test").reveal()[:-1]
            before = len(reads)
            for text in (mistyped, f"{guessed}{'0' if n % 2 else 'z'}", guessed):
                if tokens.recognise(text) is None:
                    assert not opens(text)
                    figures.add("T11", wrong_checksums=1)
            assert len(reads) == before
    figures.add("T11", guesses=GUESSES, valid=0, reads_for_a_wrong_checksum=0)


# --- T2 ------------------------------------------------------------------------------------------------------------


def test_a_ciphertext_opens_in_its_own_row_alone_and_only_whole(figures: Figures) -> None:
    with Stack.from_template(ROOT / "template.yaml", account="111122224444") as stack:
        world = World(demo.desk(stack))
        app = world.app()
        keys = [world.issue(KeyKind.NATIVE, app.ref).key for _ in range(ROWS)]
        rows = [SealedSecret.of(key, key.newest) for key in keys]
        vault = world.desk.vault

        def opens(secret: SealedSecret) -> bool:
            try:
                vault.reveal([secret])
            except (errors.Fault, errors.Unavailable):
                return False
            return True

        assert all(map(opens, rows))
        swaps = [replace(one, ciphertext=other.ciphertext) for one in rows for other in rows if one is not other]
        assert not any(map(opens, swaps))
        figures.add("T2", rows_exchanged=len(swaps))
        for row in rows[:ENVELOPES]:
            whole = row.ciphertext
            for bit in range(0, len(whole) * 8, 1 if NIGHTLY else 7):
                flipped = bytearray(whole)
                flipped[bit // 8] ^= 1 << bit % 8
                assert not opens(replace(row, ciphertext=bytes(flipped))), bit
                figures.add("T2", bits_flipped=1)
            for length in range(0, len(whole), 1 if NIGHTLY else 5):
                assert not opens(replace(row, ciphertext=whole[:length])), length
                figures.add("T2", cut_off=1)
        figures.note("T2", opened=0)


# --- T12 -----------------------------------------------------------------------------------------------------------


def test_no_crooked_json_web_token_is_taken(figures: Figures) -> None:
    world = World(replace(Cloud(new_table()).desk(), clock=SystemClock()))
    issued = world.issue(KeyKind.APP_SECRET, world.app().ref)
    hand = Hand(issued.key.id, issued.token.reveal())

    def is_taken(text: str) -> bool:
        refs = jwt.refs(text)
        reading = world.desk.store.read(*refs) if refs else Reading({})
        return jwt.verify(world.desk, world.tenant, text, reading).valid if refs else False

    assert is_taken(hand.token())
    vectors = {**MALFORMED, **UNSUITABLE, **FORGED}
    assert [name for name, vector in vectors.items() if is_taken(vector(hand))] == []
    chance, original = random.Random(12), token(exp=2_000_000_000)  # noqa: S311  the same mutants every time
    mutants: set[str] = set()
    while len(mutants) < MUTANTS:
        mutants |= {mutant(original, chance)} - {original}
    assert [each for each in mutants if is_good(each)] == []
    figures.add("T12", vectors=len(vectors), mutants=len(mutants), taken=0)


# --- T18 -----------------------------------------------------------------------------------------------------------


def _fields(client: Recorder) -> dict[str, Callable[[str], None]]:
    mailer = SesMailer(lambda: client, Letter("keys@example.com", "Your API key", "Hello {owner},\n{key}\n"))
    secret = Token("6B0D549B-6F03-475A-9600-A35A099950D8")
    warned = Warned(key_id="key_1", owner_name="Ama", description="till", expires_at_ms=0, days_left=7)
    return {
        "a token's receiver": lambda odd: mailer.send_token(secret, to=f"a@example.com{odd}", owner_name="Ama"),
        "a token's owner": lambda odd: mailer.send_token(secret, to="a@example.com", owner_name=f"Ama{odd}Bcc: b"),
        "a link's receiver": lambda odd: mailer.send_link(secret, to=f"a{odd}@example.com", until_ms=0),
        "a warning's receiver": lambda odd: mailer.send_warning(warned, to=f"a@example.com{odd}b@example.com"),
        "a warning's owner": lambda odd: mailer.send_warning(replace(warned, owner_name=f"A{odd}"), to="a@example.com"),
        "a warning's description": lambda odd: mailer.send_warning(
            replace(warned, description=f"x{odd}Bcc: b@example.com"), to="a@example.com"
        ),
    }


def test_nothing_that_breaks_a_line_makes_a_header_or_a_receiver(figures: Figures) -> None:
    client = Recorder()
    fields = _fields(client)
    for odd in BREAKS:
        for send in fields.values():
            client.requests.clear()
            try:
                send(odd)
            except errors.MailNotSent:
                assert client.requests == []
                figures.add("T18", refused=1)
                continue
            (request,) = client.requests
            assert request["Destination"] == {"ToAddresses": ["a@example.com"]}
            assert not set(BREAKS) & {*request["Content"]["Simple"]["Subject"]["Data"]}
            assert odd == "\n" or odd not in request["Content"]["Simple"]["Body"]["Text"]["Data"]
            figures.add("T18", harmless=1)
    figures.note("T18", characters=len(BREAKS), fields=len(fields), headers_more=0)


# --- R16 -----------------------------------------------------------------------------------------------------------


def _sinks(run: Run) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """What must hold no secret: its name, its text, and the secrets to look for."""
    yield "log records", "\n".join(run.logs), run.secrets
    yield "stdout and stderr", run.written, run.secrets
    yield "items", "\n".join(text for item in run.items for text in texts(item)), run.secrets
    calls = [{k: v for k, v in call.request.items() if k != "Plaintext"} for call in run.calls]
    yield "calls of AWS, their events, mails and contexts", "\n".join(map(json.dumps, calls)), run.secrets
    functions = run.stack.template.functions.items()
    able = {name for name, each in functions if any("kms:" in json.dumps(policy.document) for policy in each.policies)}
    answers = [text for name, text in run.answers if name not in able | ECHOES | DESCRIBES]
    yield "answers of what can neither seal nor reveal", "\n".join(answers), run.secrets
    described = "\n".join(text for name, text in run.answers if name in DESCRIBES)
    yield "the description", described, {name: each for name, each in run.secrets.items() if each not in PUBLISHED}


def test_no_canary_is_found_where_it_must_not_be(run: Run, figures: Figures) -> None:
    sinks = [*_sinks(run)]
    found = {name: leaks(text, secrets) for name, text, secrets in sinks}
    assert {name: each for name, each in found.items() if each} == {}
    assert all(len(text) > 500 for name, text, _ in sinks if name != "the description")
    figures.note(
        "R16",
        canaries=len(set(run.secrets.values())),
        sinks=len(sinks),
        encodings=len(canaries.spellings(PLANTED["a token"])),
        hits=0,
    )


LEAKS: Final[Mapping[str, Callable[[str], str]]] = {
    "a message": lambda secret: _logged(lambda: logging.getLogger("keywright").debug(secret)),
    "an extra": lambda secret: _logged(lambda: logging.getLogger("keywright").info("x", extra={"token": secret})),
    "another logger": lambda secret: _logged(lambda: logging.getLogger("library").debug("sent %s", [secret])),
    "an exception": lambda secret: _logged(
        lambda: logging.getLogger("keywright").error("failed", exc_info=ValueError(secret))
    ),
    "stdout": lambda secret: _logged(lambda: sys.stdout.write(f"{secret}\n")),
    "an item": lambda secret: "\n".join(texts({"attribute": {"M": {"deep": {"B": secret.encode()}}}})),
    "a context": lambda secret: json.dumps({"EncryptionContext": {"tenant": secret[::-1]}}),
}


def _logged(plant: Callable[[], object]) -> str:
    with everything_written() as (keeper, written):
        plant()
    return "\n".join([*keeper.kept, written.getvalue()])


@pytest.mark.parametrize("where", LEAKS)
def test_a_planted_leak_is_found(where: str, figures: Figures) -> None:
    for secret in PLANTED.values():
        assert leaks(LEAKS[where](secret), PLANTED), where
    figures.add("R16", planted_leaks_found=1)
