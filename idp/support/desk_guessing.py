"""The desk's page of wrong passwords: at whom they are guessed just now, and the way to unlock."""

from flask import Blueprint

from idp import clock
from idp.accounts.models import ADMIN, Account
from idp.support import acts, guessing
from idp.support.desk import PREFIX, before_page, member, page

blueprint = Blueprint("desk_guessing", __name__, url_prefix=f"{PREFIX}/wrong-passwords")
blueprint.before_request(before_page)


@blueprint.get("")
def show() -> str:
    """Show the top of the ledger. Networks are for admins alone: a family's may lead to its home."""
    session = member()

    def may_act(account: Account) -> bool:
        return acts.may_act(session.account_id, session.role, account)

    is_admin = session.role == ADMIN
    return page("desk/wrong_passwords.html", top=guessing.top(clock.now()), is_admin=is_admin, may_act=may_act)
