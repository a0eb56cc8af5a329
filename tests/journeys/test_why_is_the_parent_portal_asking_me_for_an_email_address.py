"""FAQ: "Why is the Parent Portal asking me for an email address and password after I login?"

From the mail with the temporary password to a security email that is verified, and what that is good for.
"""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.journeys.district import EAST, LogIn
from tests.journeys.post import Mailing, link, plain
from tests.journeys.visit import ENGLISH, SPANISH, Tongue, Visit
from tests.windows import PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

OWN = "willow-harbour-29-lantern-cobalt"


@pytest.mark.parametrize(
    ("say", "javascript", "by_code"),
    [(ENGLISH, True, True), (ENGLISH, False, False), (SPANISH, True, False)],
    ids=["by the code", "by the link, no scripts", "Spanish"],
)
def test_r7_r8_r11_r12_r14_r15_r16_r17_r18_r19_r20_the_first_log_in_ends_with_an_address_that_helps(
    mailing: Mailing, chromium: Chromium, say: Tongue, javascript: bool, by_code: bool
) -> None:
    who = _given_by_mail(mailing, f"first.{say.code}.{'code' if by_code else 'link'}", say)
    address = f"{who.username}@recovers.example.org"
    with (
        chromium.window(PHONE, javascript=javascript, language=say.locale) as page,
        chromium.window(PHONE, javascript=javascript, language=say.locale) as elsewhere,
    ):
        visit, other = Visit(page, mailing.district, say), Visit(elsewhere, mailing.district, say)
        visit.come_from(EAST)
        visit.log_in(who)
        visit.fill("New Password", OWN)
        visit.press("Save")
        _enter(visit, address)
        other.forget_password_in_vain(who.username, mailing.office)

        mail = mailing.office.wait_for(say("Verify your security email"), naming=who.username)
        assert mail["Content-Language"] == say.code
        if by_code:
            visit.fill("Code", re.findall(r"^\d{4} \d{4}$", plain(mail), re.MULTILINE)[0])
            visit.press("Verify")
        else:
            elsewhere.goto(link(mail))
            visit.open("/account/settings")
            visit.reads("Not verified")
            page.go_back()
            other.verify(link(mail))
            visit.follow("Continue")
        visit.is_inside(EAST, who.name)

        other.forget_password(who.username)
        other.forget_username(address)
        mailing.office.wait_for(say("Your username"), naming=who.username)
        mailing.office.wait_for(say("Choose a new password"), naming=who.username)
        wanted = ["Verify your security email", "Choose a new password", "Your username"]
        assert sorted(mailing.office.subjects(address)) == sorted(map(say, wanted)), "and none before it was verified"


def _given_by_mail(mailing: Mailing, username: str, say: Tongue) -> LogIn:
    """Add an account as the office does, and read in the mail what opens it."""
    on_file, name = f"{username}@families.example", "Ewa Kowalska"
    typed = ["account", "add", username, "--name", name, "--email", on_file, "--language", say.code, "--mail"]
    command = [sys.executable, "-m", "idp", *typed]
    done = subprocess.run(command, env=mailing.district.environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = plain(mailing.office.wait_for(say("Your username and temporary password"), naming=username))
    (password,) = re.findall(rf"^{say('Temporary password:')} (\S+)$", text, re.MULTILINE)
    return LogIn(username, password, name)


def _enter(visit: Visit, address: str) -> None:
    """Take the address on file away, type a wrong password first, and then the right one."""
    visit.is_at("Your Security Email")
    visit.reads("This does not change your password.")
    visit.reads("Entering an address is not enough.")
    expect(visit.page.get_by_label(visit.say("Email Address"), exact=True)).to_have_attribute("type", "email")
    visit.enter_address(address, "not my password at all")
    visit.reads("This is not your current password.")
    visit.enter_address(address, OWN)
    visit.is_at("Verify Your Security Email")
    visit.reads("Spam or Junk folder")
    expect(visit.main).to_contain_text("f***@recovers.example.org")
    expect(visit.main).not_to_contain_text(address)
