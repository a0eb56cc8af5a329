"""How small and how large each number may be: what lies outside is a slip of the pen, or breaks a rule it names."""

from collections.abc import Iterator, Mapping
from typing import Final

from idp.settings.model import Settings

RANGES: Final[Mapping[tuple[str, str], tuple[int, int]]] = {
    ("server", "port"): (1, 65535),
    ("server", "workers"): (0, 256),
    ("server", "threads"): (1, 256),
    ("server", "drain_seconds"): (0, 300),
    ("server", "trusted_proxies"): (0, 10),
    ("database", "pool_size"): (1, 1000),
    ("database", "lock_timeout_seconds"): (1, 300),
    ("passwords", "bcrypt_cost"): (10, 16),
    ("passwords", "minimum_length"): (8, 128),
    ("passwords", "maximum_length"): (64, 256),  # NIST SP 800-63B-4 section 3.1.1.2: 64 characters have to be allowed
    ("passwords", "temporary_days"): (1, 366),
    ("passwords", "longest_wait_seconds"): (1, 20),  # half of what a browser or a proxy waits for an answer
    ("throttle", "account_robot_failures"): (1, 100),
    ("throttle", "account_pictures_failures"): (1, 100),
    ("throttle", "account_failures"): (1, 100),
    ("throttle", "account_wait_seconds"): (1, 3600),
    ("throttle", "account_longest_wait_seconds"): (1, 86_400),
    ("throttle", "account_stop_failures"): (10, 100),  # the same, section 3.2.2: no more than 100
    ("throttle", "account_forget_hours"): (1, 8760),
    ("throttle", "known_browser_failures"): (1, 100),
    ("throttle", "known_browser_wait_seconds"): (1, 86_400),
    ("throttle", "known_browser_days"): (1, 400),  # no browser keeps a cookie longer (RFC 6265bis section 5.5)
    ("throttle", "known_browsers"): (1, 100),
    ("throttle", "network_robot_failures"): (1, 1_000_000),
    ("throttle", "network_pictures_failures"): (1, 1_000_000),
    ("throttle", "network_wait_failures"): (1, 1_000_000),
    ("throttle", "network_wait_seconds"): (1, 86_400),
    ("throttle", "overall_robot_failures"): (1, 10_000_000),
    ("throttle", "client_failures"): (1, 10_000),
    ("throttle", "client_window_seconds"): (1, 86_400),
    ("throttle", "notices_in_all_per_hour"): (1, 1_000_000),
    ("robot_check", "rounds"): (1, 3),
    ("robot_check", "minutes"): (1, 10),
    ("robot_check", "work_tries"): (1, 5000),
    ("robot_check", "usual_per_network_hour"): (1, 1_000_000),
    ("robot_check", "usual_in_all_per_hour"): (1, 10_000_000),
    ("robot_check", "begun_per_network_hour"): (10, 1_000_000),
    ("robot_check", "tasks_per_network_hour"): (10, 1_000_000),
    ("recovery", "verification_hours"): (1, 24),  # the same, volume A section 3.8
    ("recovery", "reset_minutes"): (5, 1440),
    ("recovery", "objection_days"): (1, 90),
    ("recovery", "code_minutes"): (1, 10),
    ("recovery", "code_tries"): (1, 10),
    ("recovery", "setup_postponements"): (0, 100),
    ("recovery", "verification_pause_seconds"): (1, 3600),
    ("recovery", "verifications_per_window"): (1, 100),
    ("recovery", "forgotten_per_hour"): (1, 100),
    ("recovery", "forgotten_per_day"): (1, 1000),
    ("recovery", "forgotten_per_network_hour"): (1, 100_000),
    ("recovery", "forgotten_in_all_per_hour"): (1, 10_000_000),
    ("recovery", "wrong_links_per_network_hour"): (5, 100_000),
    ("support", "answer_days"): (1, 30),
    ("support", "keep_days"): (30, 3650),
    ("support", "fill_in_seconds"): (1, 30),
    ("support", "per_network_hour"): (1, 10_000),
    ("support", "in_all_per_hour"): (1, 1_000_000),
    ("support", "mails_per_address_day"): (1, 100),
    ("support", "lookups_per_network_hour"): (1, 10_000),
    ("support", "lookups_per_ticket_hour"): (1, 100),
    ("sessions", "idle_minutes"): (1, 43_200),  # the same, section 2.1.3: 30 days at most
    ("sessions", "absolute_hours"): (1, 720),
    ("sessions", "shared_idle_minutes"): (1, 43_200),
    ("sessions", "shared_absolute_hours"): (1, 720),
    ("sessions", "staff_idle_minutes"): (1, 43_200),
    ("sessions", "staff_absolute_hours"): (1, 720),
    ("sessions", "reauthentication_minutes"): (1, 1440),
    ("sessions", "per_account"): (1, 1000),
    ("sessions", "steps_minutes"): (1, 1440),
    ("tokens", "code_seconds"): (1, 600),  # RFC 6749 section 4.1.2: ten minutes at most
    ("tokens", "access_token_seconds"): (1, 86_400),
    ("tokens", "id_token_seconds"): (1, 86_400),
    ("tokens", "request_at_login_hours"): (1, 168),
    ("tokens", "request_at_consent_minutes"): (1, 1440),
    ("tokens", "client_secret_overlap_days"): (1, 366),
    ("keys", "rsa_bits"): (2048, 8192),
    ("keys", "rotate_days"): (2, 3650),
    ("keys", "publish_ahead_days"): (1, 366),
    ("keys", "keep_days"): (1, 366),
    ("keys", "reread_seconds"): (1, 60),
    ("audit", "retention_days"): (1, 36_500),
    ("audit", "seal_seconds"): (1, 3600),
    ("mail", "port"): (1, 65535),
    ("mail", "timeout_seconds"): (1, 60),
    ("mail", "give_up_hours"): (24, 168),  # RFC 5321 section 4.5.4.1: four to five days are usual
    ("mail", "keep_days"): (7, 3650),
}
"""The least and the most of every setting that is a number."""

_CHEAPEST_HASH = 4
"""What bcrypt itself allows: in development, tests may use it."""


def problems(settings: Settings) -> Iterator[str]:
    """Tell each number that is out of its range."""
    for (section, name), (least, most) in RANGES.items():
        if name == "bcrypt_cost" and settings.is_development:
            least = _CHEAPEST_HASH  # noqa: PLW2901  the one range that development widens
        if not least <= getattr(getattr(settings, section), name) <= most:
            yield f"[{section}] {name} has to be from {least} to {most}."
