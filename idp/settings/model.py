"""The settings' sections: what each is called, its type and its default."""

from dataclasses import dataclass, field

from flask import Flask, current_app

DEVELOPMENT, PRODUCTION = "development", "production"
STARTTLS, TLS, UNENCRYPTED = "starttls", "tls", "none"
FIRST_BY_PASSWORD, FIRST_BY_LINK = "password", "link"
"""How somebody gets in for the first time: by a temporary password in the mail, or by a link to choose one's own."""
EMBEDDED, RECAPTCHA, HCAPTCHA, TURNSTILE = "embedded", "recaptcha", "hcaptcha", "turnstile"
"""Who checks that somebody is no robot: the provider itself, or a service elsewhere."""
MAILBOX = "mailbox"
"""In place of a mail server's name: what is sent is kept, and shown to the developer."""


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A secret key and the name by which what it made tells it apart; its value never shows in a repr."""

    name: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the provider answers, and whom it believes."""

    issuer: str = ""
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 0
    threads: int = 2
    drain_seconds: int = 0
    trusted_proxies: int = 0
    admin_networks: tuple[str, ...] = (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    )
    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    outbound_allowed: tuple[str, ...] = ()
    log_level: str = "INFO"


@dataclass(frozen=True, slots=True)
class Database:
    """Where everything is kept."""

    url: str = field(default="sqlite:///instance/idp.db", repr=False)
    pool_size: int = 8
    lock_timeout_seconds: int = 10


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys that are never in the database. Each is a list; the first one is used, the others are still read."""

    wrapping_keys: tuple[NamedKey, ...] = ()
    peppers: tuple[NamedKey, ...] = ()
    audit_keys: tuple[NamedKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Passwords:
    """What a password must be, and what one costs (POLICY: NIST SP 800-63B section 3.1.1.2)."""

    bcrypt_cost: int = 12
    minimum_length: int = 15
    maximum_length: int = 128
    temporary_days: int = 14
    first: str = FIRST_BY_PASSWORD
    longest_wait_seconds: int = 5
    breached: str = ""


@dataclass(frozen=True, slots=True)
class Throttle:
    """How often something may be tried."""

    account_robot_failures: int = 3
    account_pictures_failures: int = 5
    account_failures: int = 5
    account_wait_seconds: int = 30
    account_longest_wait_seconds: int = 900
    account_stop_failures: int = 100
    account_forget_hours: int = 12
    known_browser_failures: int = 5
    known_browser_wait_seconds: int = 900
    known_browser_days: int = 180
    known_browsers: int = 10
    network_robot_failures: int = 20
    network_pictures_failures: int = 100
    network_wait_failures: int = 1000
    network_wait_seconds: int = 900
    overall_robot_failures: int = 1000
    redis: str = field(default="", repr=False)
    client_failures: int = 10
    client_window_seconds: int = 60
    notices_in_all_per_hour: int = 1000


@dataclass(frozen=True, slots=True)
class RobotCheck:
    """How "I'm not a robot" is checked."""

    provider: str = EMBEDDED
    site_key: str = ""
    secret: str = field(default="", repr=False)
    verify_address: str = ""
    rounds: int = 2
    minutes: int = 5
    work_tries: int = 500
    usual_per_network_hour: int = 300
    usual_in_all_per_hour: int = 3000
    begun_per_network_hour: int = 3000
    tasks_per_network_hour: int = 1000


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is mailed so that a family gets back in, how long it is good for, and how often it is mailed."""

    verification_hours: int = 24
    reset_minutes: int = 30
    objection_days: int = 14
    code_minutes: int = 10
    code_tries: int = 5
    setup_postponements: int = 0
    verification_pause_seconds: int = 60
    verifications_per_window: int = 3
    forgotten_per_hour: int = 3
    forgotten_per_day: int = 6
    forgotten_per_network_hour: int = 10
    forgotten_in_all_per_hour: int = 2000
    wrong_links_per_network_hour: int = 20


@dataclass(frozen=True, slots=True)
class Support:
    """The Portal Support Form, and how often strangers may use it."""

    answer_days: int = 2
    keep_days: int = 365
    fill_in_seconds: int = 3
    per_network_hour: int = 10
    in_all_per_hour: int = 300
    mails_per_address_day: int = 3
    lookups_per_network_hour: int = 20
    lookups_per_ticket_hour: int = 5


@dataclass(frozen=True, slots=True)
class Sessions:
    """How long a browser stays logged in."""

    idle_minutes: int = 30
    absolute_hours: int = 12
    shared_idle_minutes: int = 10
    shared_absolute_hours: int = 1
    staff_idle_minutes: int = 15
    staff_absolute_hours: int = 8
    reauthentication_minutes: int = 10
    per_account: int = 20
    steps_minutes: int = 30


@dataclass(frozen=True, slots=True)
class Tokens:
    """How long what the protocol issues is good for."""

    code_seconds: int = 60
    access_token_seconds: int = 900
    id_token_seconds: int = 900
    request_at_login_hours: int = 24
    request_at_consent_minutes: int = 30
    client_secret_overlap_days: int = 30


@dataclass(frozen=True, slots=True)
class Keys:
    """Signing keys: strength, and the calendar of their rotation; and how soon a change of any key is noticed."""

    rsa_bits: int = 2048
    rotate_days: int = 90
    publish_ahead_days: int = 14
    keep_days: int = 14
    reread_seconds: int = 10


@dataclass(frozen=True, slots=True)
class Audit:
    """The record of security events."""

    retention_days: int = 365
    seal_seconds: int = 5


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes the mail, and whose name is on it."""

    host: str = ""
    port: int = 587
    security: str = STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    sender_name: str = ""
    reply_to: str = ""
    timeout_seconds: int = 20
    give_up_hours: int = 72
    keep_days: int = 90

    @property
    def is_mailbox(self) -> bool:
        """Whether messages go nowhere, and are shown on a page instead."""
        return self.host == MAILBOX

    @property
    def is_server(self) -> bool:
        """Whether there is a server that takes messages; while there is none, they wait."""
        return bool(self.host) and not self.is_mailbox


@dataclass(frozen=True, slots=True)
class School:
    """One school of the district."""

    key: str
    name: str
    colour: str = "#1d4f91"


@dataclass(frozen=True, slots=True)
class Faq:
    """A page of questions and answers elsewhere."""

    name: str
    address: str
    language: str = ""
    """The one language in which it is listed; empty for all."""


@dataclass(frozen=True, slots=True)
class District:
    """All that another district has to change."""

    name: str = "District 207"
    portal_name: str = "Parent Portal"
    colour: str = "#1d4f91"
    website: str = ""
    general_faq: str = ""
    support_team: str = "District 207 Portal Support Team"
    support_email: str = ""
    support_phone: str = ""
    support_hours: str = ""
    time_zone: str = "America/Chicago"
    languages: tuple[str, ...] = ("en",)
    familiar_words: tuple[str, ...] = ()
    schools: tuple[School, ...] = ()
    other_faqs: tuple[Faq, ...] = ()
    help_folder: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process."""

    environment: str = PRODUCTION
    server: Server = Server()
    database: Database = Database()
    secrets: Secrets = Secrets()
    passwords: Passwords = Passwords()
    throttle: Throttle = Throttle()
    robot_check: RobotCheck = RobotCheck()
    recovery: Recovery = Recovery()
    support: Support = Support()
    sessions: Sessions = Sessions()
    tokens: Tokens = Tokens()
    keys: Keys = Keys()
    audit: Audit = Audit()
    mail: Mail = Mail()
    district: District = District()

    @property
    def is_development(self) -> bool:
        """Whether conveniences that production refuses (plain HTTP, cheap hashes) are allowed."""
        return self.environment == DEVELOPMENT

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the provider by HTTPS, which decides cookie prefixes and HSTS."""
        return self.server.issuer.startswith("https://")


def current() -> Settings:
    """Return the settings of the running application."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  Flask's documented way past its proxy, at a quarter of the cost
    loaded: Settings = app.config["IDP"]
    return loaded
