"""What the district's FAQ demands of log-in, recovery, settings, help and support, and which tests name it."""

import re
from functools import cache
from pathlib import Path

from tests.rules.sources import modules

TESTS = Path(__file__).parent.parent

MEANINGS = {
    1: "Help is open to everybody, and the log-in page leads to it",
    2: "it opens with the eleven questions, in each language, in the district's own words",
    3: "it leads to the district's general FAQ",
    4: "the log-in page has one short address, which Help leads to",
    5: "each school's dashboard starts a log-in, and one is back there afterwards",
    6: "after one log-in all three dashboards open without a password",
    7: "username and temporary password come by mail",
    8: "a temporary password is for once, ends, and can be a link instead",
    9: "the menu's button is top left on every page, and its tools open",
    10: "the same button shows and hides the menu, by key and on a phone too",
    11: "whoever has no security email is asked for one at each log-in, before anything opens",
    12: "the page says what the address is for",
    13: "it may be the one on file, another one, or one that is shared",
    14: "it needs the current password; a wrong one changes nothing and counts",
    15: "it does not change the password, and says so",
    16: "one mail goes to the new address, in the guardian's language",
    17: "its link works anywhere, unbroken, and only by a button",
    18: "a verified address makes Forgot Password? and Forgot Username? work",
    19: "one that is not verified gets nothing",
    20: "the answer is the same for known and unknown, and says what to do",
    21: "after some failures at a username, whether or not anybody has it, the box appears",
    22: "the page says why: somebody may have tried to log in with the username",
    23: "username and password are typed again there",
    24: "it is a checkbox, reached by keys; without it there is an error, and the username stays",
    25: "where there is more doubt there are pictures, and something to listen to instead",
    26: "squares are selected; a wrong choice gives a new question",
    27: "squares that are selected are replaced, until none is left",
    28: "there is more than one question, and they are counted",
    29: "it goes on to the end, with what was typed kept, and with more time for whoever needs it",
    30: "most are asked nothing, and the box is checked",
    31: "Log In goes on to where one was heading; an answer is good once, and the failures are forgotten",
    32: "the security email is changed without staff",
    33: "the Profile button has Settings",
    34: "Settings list Account Settings",
    35: "the button reads Add, or Update once there is an address",
    36: "a change needs the address and the current password",
    37: "a new address waits until it is verified; the old one hears of it",
    38: "the warning stands on the page of the change, too",
    39: "a verification can be sent again while it waits",
    40: "Resend Verification Email sends a fresh link; the older ones stop",
    41: "the page says where to look, for which sender and subject",
    42: "if none comes, the form knows the topic, and support sees what the mail server said",
    43: "whether an address is verified is each guardian's own",
    44: "one is asked only after a log-in that succeeded",
    45: "one answer leads to another",
    46: "a new address on file brings a word about the username, and no change",
    47: "support changes a username; sessions and applications go on",
    48: "the password is changed without staff",
    49: "the row Password has Update",
    50: "the rules stand there before anything is typed; what is refused has a reason",
    51: "the strength is said below, in words, while one types",
    52: "Save takes the current password; the old one and other sessions end, a notice goes out",
    53: "the form opens without a log-in",
    54: "what it asks, and what it never asks",
    55: "a number, a time, the team's queue, and no account by the form alone",
    56: "Help ends with other FAQs",
    57: 'the last answer leads to the form by "Other"',
    58: "a summary, 1000 characters, any language, plain text",
    59: "the answer comes in the guardian's language; a request can be looked at",
}
"""The rows of the FAQ's table that concern this."""


@cache
def tests_by_row() -> dict[int, list[str]]:
    """Return for each row the tests that name it: what they say, and where they are."""
    found: dict[int, list[str]] = {}
    for path in sorted(modules("tests")):
        for numbers, sentence in re.findall(r"^def test_((?:r\d+_)+)(\w+)\(", path.read_text("utf-8"), re.MULTILINE):
            for number in re.findall(r"\d+", numbers):
                told = f"{sentence.replace('_', ' ')} ({path.relative_to(TESTS)})"
                found.setdefault(int(number), []).append(told)
    return found


def table() -> str:
    """Return the table of tests/README.md."""
    lines = ["| R | what must hold | tests |", "|---|---|---|"]
    for number, meaning in MEANINGS.items():
        tests = tests_by_row().get(number, [])
        lines.append(f"| R{number} | {meaning} | {'<br>'.join(tests)} |")
    return "\n".join(lines) + "\n"
