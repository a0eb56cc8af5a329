"""Every setting: its type, its default and what makes it wrong. Frozen once loaded; config/README.md documents each.

Values come from config/<environment>.toml and config/district.toml, then from the environment (IDP_SECTION_NAME, or
IDP_SECTION_NAME_FILE for a file that holds the value). A secret has no default here.
"""

from idp.settings.loading import PACKAGE, SettingsError, load
from idp.settings.model import (
    DEVELOPMENT,
    MAILBOX,
    PRODUCTION,
    STARTTLS,
    TLS,
    UNENCRYPTED,
    Audit,
    Database,
    District,
    Faq,
    Keys,
    Mail,
    NamedKey,
    Passwords,
    Recovery,
    School,
    Secrets,
    Server,
    Sessions,
    Settings,
    Support,
    Throttle,
    Tokens,
    current,
)

__all__ = [
    "DEVELOPMENT",
    "MAILBOX",
    "PACKAGE",
    "PRODUCTION",
    "STARTTLS",
    "TLS",
    "UNENCRYPTED",
    "Audit",
    "Database",
    "District",
    "Faq",
    "Keys",
    "Mail",
    "NamedKey",
    "Passwords",
    "Recovery",
    "School",
    "Secrets",
    "Server",
    "Sessions",
    "Settings",
    "SettingsError",
    "Support",
    "Throttle",
    "Tokens",
    "current",
    "load",
]
