"""Every feature's models in one place, for whoever needs the whole schema."""

from idp.accounts import models as accounts
from idp.audit import models as audit
from idp.captcha import models as captcha
from idp.clients import models as clients
from idp.mail import models as mail
from idp.oidc import models as oidc
from idp.operations import models as operations
from idp.recovery import models as recovery
from idp.sessions import models as sessions
from idp.support import models as support
from idp.throttle import models as throttle

__all__ = [
    "accounts",
    "audit",
    "captcha",
    "clients",
    "mail",
    "oidc",
    "operations",
    "recovery",
    "sessions",
    "support",
    "throttle",
]
