"""A start that would go wrong is refused, with a sentence for each thing to mend."""

from pathlib import Path

import pytest

from idp import settings
from tests.settings.conftest import KEY


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(environ)
    return caught.value.problems


def test_everything_that_is_wrong_is_told_at_once(folder: Path, environ: dict[str, str]) -> None:
    (folder / "production.toml").write_text("[servers]\nport = 1\n[tokens]\ncode_second = 60\n")

    found = problems(environ | {"IDP_SERVER_PORT": "eighty", "IDP_SERVER_ISUER": "x", "IDP_PASSWORDS_BCRYPT_COST": "4"})

    assert sorted(found) == [
        "IDP_SERVER_ISUER is no setting. Did you mean IDP_SERVER_ISSUER?",
        "IDP_SERVER_PORT has to be a whole number.",
        "[passwords] bcrypt_cost has to be from 10 to 16.",
        "[servers] is no section of the settings. Did you mean [server]?",
        "[tokens] code_second is no setting. Did you mean [tokens] code_seconds?",
    ]


def test_an_empty_production_names_what_it_needs(folder: Path) -> None:
    found = problems({"IDP_CONFIG": str(folder)})

    assert [line.split(" is not set")[0] for line in found] == [
        "[server] issuer",
        "[secrets] wrapping_keys",
        "[secrets] peppers",
        "[secrets] audit_keys",
    ]


def test_development_s_secrets_have_no_default_either(environ: dict[str, str]) -> None:
    del environ["IDP_SECRETS_PEPPERS"]

    (found,) = problems(environ | {"IDP_ENVIRONMENT": "development"})

    assert "IDP_SECRETS_PEPPERS" in found


def test_an_unknown_environment_is_no_production(environ: dict[str, str]) -> None:
    (found,) = problems(environ | {"IDP_ENVIRONMENT": "prod"})

    assert "'prod'" in found
    assert len(problems(environ | {"IDP_ENVIRONMENT": "prod", "IDP_SERVER_PORT": "x", "IDP_PORT": "1"})) == 3


def test_a_setting_above_all_sections_is_told_with_its_own(folder: Path, environ: dict[str, str]) -> None:
    (folder / "production.toml").write_text("port = 5000\n[serve]\nport = 5000\n")

    assert problems(environ) == [
        "[port] is no section of the settings. Did you mean [server] port?",
        "[serve] is no section of the settings. Did you mean [server]?",
    ]


@pytest.mark.parametrize("name", ["IDP_SERVER_NAME", "IDP_PORT", "IDP_ENVIRONMENT_FILE", "IDP_DISTRICT", "IDP_"])
def test_an_unknown_variable_is_not_ignored(environ: dict[str, str], name: str) -> None:
    (found,) = problems(environ | {name: "x"})

    assert found.startswith(f"{name} is no setting.")


def test_a_value_beside_its_file_is_ambiguous(tmp_path: Path, environ: dict[str, str]) -> None:
    secret = tmp_path / "peppers"
    secret.write_text(f"other:{KEY}")

    (found,) = problems(environ | {"IDP_SECRETS_PEPPERS_FILE": str(secret)})

    assert found == "IDP_SECRETS_PEPPERS and IDP_SECRETS_PEPPERS_FILE are both set: keep one."


def test_a_secret_s_file_that_is_missing_is_told(environ: dict[str, str]) -> None:
    del environ["IDP_SECRETS_PEPPERS"]

    assert problems(environ | {"IDP_SECRETS_PEPPERS_FILE": "/nowhere/peppers"}) == [
        "IDP_SECRETS_PEPPERS can't be read from the file that IDP_SECRETS_PEPPERS_FILE names: FileNotFoundError"
    ]


def test_files_that_are_missing_or_broken_are_told(folder: Path, environ: dict[str, str]) -> None:
    (folder / "production.toml").unlink()
    (folder / "district.toml").write_text("[district\n")

    missing, broken = problems(environ)

    assert missing.endswith("production.toml is missing.")
    assert "district.toml can't be read" in broken


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[server]\nport = 5.7", "[server] port has to be a whole number."),
        ("[server]\nport = true", "[server] port has to be a whole number."),
        ("[server]\nissuer = 7", "[server] issuer has to be a text."),
        ("[server]\nadmin_networks = 7", "[server] admin_networks has to be a list."),
        ("[server]\nadmin_networks = [7]", "[server] admin_networks has to be a list of texts."),
        ("server = 7", "[server] has to be a section."),
        ("[district]\nschools = [7]", "[district] schools has to list schools, each with key, name and colour."),
        (
            '[district]\nschools = [{ key = "a", name = 7 }]',
            "[district] schools has to write key, name and colour as texts.",
        ),
    ],
)
def test_a_wrong_type_is_told(folder: Path, environ: dict[str, str], line: str, said: str) -> None:
    (folder / "production.toml").write_text(line)
    if "issuer" in line:
        del environ["IDP_SERVER_ISSUER"]
    assert problems(environ) == [said]


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "login.example.org",
        "http://login.example.org",
        "https://login.example.org/",
        "https://login.example.org/idp",
        "https://login.example.org?x=1",
        "https://login.example.org#x",
        "https://user@login.example.org",
        "https://Login.example.org",
        "HTTPS://login.example.org",
        "https://login.example.org:99999",
        "https://[::1",
        "ftp://login.example.org",
    ],
)
def test_an_issuer_that_browsers_would_write_otherwise_is_refused(environ: dict[str, str], issuer: str) -> None:
    (found,) = problems(environ | {"IDP_SERVER_ISSUER": issuer})

    assert found.startswith("[server] issuer")


@pytest.mark.parametrize("issuer", ["https://login.example.org", "https://login.example.org:8443", "https://[::1]"])
def test_a_plain_issuer_is_accepted(environ: dict[str, str], issuer: str) -> None:
    assert settings.load(environ | {"IDP_SERVER_ISSUER": issuer}).server.issuer == issuer


def test_plain_http_is_for_development(environ: dict[str, str]) -> None:
    plain = environ | {"IDP_SERVER_ISSUER": "http://localhost:5000"}

    assert problems(plain) == ["[server] issuer has to start with https://."]
    assert not settings.load(plain | {"IDP_ENVIRONMENT": "development"}).is_https


@pytest.mark.parametrize("value", ["0", "false", "1", ""])
def test_production_refuses_authlib_s_switch_for_plain_http(environ: dict[str, str], value: str) -> None:
    (found,) = problems(environ | {"AUTHLIB_INSECURE_TRANSPORT": value})

    assert found.startswith("AUTHLIB_INSECURE_TRANSPORT is set")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("IDP_SERVER_PORT", "0", "[server] port"),
        ("IDP_SERVER_PORT", "65536", "[server] port"),
        ("IDP_SERVER_PORT", "", "IDP_SERVER_PORT has to be a whole number."),
        ("IDP_SERVER_PORT", "٥٠٠٠", "IDP_SERVER_PORT has to be a whole number."),
        ("IDP_SERVER_THREADS", "0", "[server] threads has to be from 1 to 256."),
        ("IDP_SERVER_TRUSTED_PROXIES", "-1", "[server] trusted_proxies has to be from 0 to 10."),
        ("IDP_SERVER_ADMIN_NETWORKS", "10.0.0.1/8", "[server] admin_networks holds '10.0.0.1/8'"),
        ("IDP_SERVER_METRICS_NETWORKS", "localhost", "[server] metrics_networks holds 'localhost'"),
        ("IDP_SERVER_OUTBOUND_ALLOWED", "localhost:5001", "[server] outbound_allowed holds 'localhost:5001'"),
        ("IDP_SERVER_LOG_LEVEL", "LOUD", "[server] log_level"),
        ("IDP_DATABASE_URL", "mysql://db/idp", "[database] url"),
        ("IDP_DATABASE_POOL_SIZE", "0", "[database] pool_size has to be from 1 to 1000."),
        ("IDP_PASSWORDS_BCRYPT_COST", "17", "[passwords] bcrypt_cost has to be from 10 to 16."),
        ("IDP_PASSWORDS_MINIMUM_LENGTH", "7", "[passwords] minimum_length"),
        ("IDP_PASSWORDS_MAXIMUM_LENGTH", "257", "[passwords] maximum_length"),
        ("IDP_SESSIONS_IDLE_MINUTES", "0", "[sessions] idle_minutes has to be from 1 to 43200."),
        ("IDP_TOKENS_CODE_SECONDS", "-5", "[tokens] code_seconds has to be from 1 to 600."),
        ("IDP_KEYS_RSA_BITS", "1024", "[keys] rsa_bits"),
        ("IDP_KEYS_PUBLISH_AHEAD_DAYS", "90", "[keys] publish_ahead_days"),
        ("IDP_PASSWORDS_FIRST", "letter", "[passwords] first has to be password or link."),
        ("IDP_PASSWORDS_BREACHED", "leaked.txt", "[passwords] breached has to be a file's full path"),
        ("IDP_PASSWORDS_BREACHED", "http://ranges.example/range/", "[passwords] breached has to be a file's full path"),
        ("IDP_PASSWORDS_BREACHED", "https://ranges.example/range", "[passwords] breached has to be a file's full path"),
        ("IDP_DISTRICT_COLOUR", "red;}", "[district] colour has to be written like"),
        ("IDP_DISTRICT_TIME_ZONE", "Chicago", "[district] time_zone"),
        ("IDP_DISTRICT_TIME_ZONE", "../etc/passwd", "[district] time_zone"),
        ("IDP_DISTRICT_LANGUAGES", "", "[district] languages"),
        ("IDP_DISTRICT_LANGUAGES", "en,../..", "[district] languages"),
        ("IDP_DISTRICT_NAME", " ", "[district] name is on every page"),
        ("IDP_DISTRICT_NAME", "District\n207", "[district] name has to be a line"),
        ("IDP_DISTRICT_SUPPORT_HOURS", "x" * 501, "[district] support_hours has to be a line"),
        ("IDP_DISTRICT_WEBSITE", "javascript:alert(1)", "[district] website has to be an address"),
        ("IDP_DISTRICT_GENERAL_FAQ", "faq.html", "[district] general_faq has to be an address"),
        ("IDP_DISTRICT_SUPPORT_EMAIL", "support", "[district] support_email has to be an address"),
        ("IDP_SERVER_HOST", "", "[server] host has to be an address"),
        ("IDP_DATABASE_URL", "postgresql://db.example.org", "[database] url names no database"),
        ("IDP_DATABASE_URL", "sqlite://", "[database] url names no file"),
        ("IDP_DATABASE_URL", "sqlite:///:memory:", "[database] url names no file"),
        ("IDP_PASSWORDS_MINIMUM_LENGTH", "128", "[passwords] minimum_length has to be maximum_length at most."),
        ("IDP_THROTTLE_ACCOUNT_WAIT_SECONDS", "901", "[throttle] account_wait_seconds has to be account_longest"),
        ("IDP_THROTTLE_ACCOUNT_ROBOT_FAILURES", "6", "[throttle] account_robot_failures has to be account_pictures"),
        ("IDP_THROTTLE_REDIS", "localhost:6379", "[throttle] redis has to be an address"),
        ("IDP_THROTTLE_REDIS", "redis://localhost:port/0", "[throttle] redis has to be an address"),
        ("IDP_THROTTLE_NETWORK_WAIT_FAILURES", "99", "[throttle] network_pictures_failures has to be network_wait"),
    ],
)
def test_a_value_out_of_its_range_is_told(environ: dict[str, str], variable: str, value: str, said: str) -> None:
    limits = {"IDP_PASSWORDS_MAXIMUM_LENGTH": "127"} if said.endswith("maximum_length at most.") else {}
    (found,) = problems(environ | limits | {variable: value})

    assert found.startswith(said)


def test_two_schools_can_not_share_a_key(folder: Path, environ: dict[str, str]) -> None:
    school = '{ key = "east", name = "East" }'
    (folder / "district.toml").write_text(f"[district]\nschools = [{school}, {school}]\n")

    (found,) = problems(environ)

    assert "'east'" in found


@pytest.mark.parametrize(
    ("faq", "told"),
    [
        ('{ name = "Bus", address = "javascript:alert(1)" }', "needs an address"),
        ('{ name = " ", address = "https://example.org" }', "has to be a line, and not empty"),
        ('{ name = "Bus", address = "https://example.org", language = "Spanish" }', "is no language"),
        ('{ name = "Bus" }', "each with name and address"),
        ('{ name = "Bus", address = 7 }', "as texts"),
    ],
)
def test_a_faq_elsewhere_has_a_name_and_an_address(folder: Path, environ: dict[str, str], faq: str, told: str) -> None:
    (folder / "district.toml").write_text(f"[district]\nother_faqs = [{faq}]\n")

    (found,) = problems(environ)

    assert found.startswith("[district] other_faqs")
    assert told in found


@pytest.mark.parametrize("language", ["xx", "qq-QQ", "english", "e"])
def test_a_language_that_nobody_speaks_is_told(environ: dict[str, str], language: str) -> None:
    (found,) = problems(environ | {"IDP_DISTRICT_LANGUAGES": f"en,{language}"})

    assert found.startswith("[district] languages has to name")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PROVIDER": "captcha"}, "provider has to be embedded, recaptcha, hcaptcha or turnstile."),
        ({"PROVIDER": "turnstile", "SECRET": "x"}, "site_key has to be the one that turnstile has given this site."),
        ({"PROVIDER": "turnstile", "SECRET": "x", "SITE_KEY": '"><script>'}, "site_key has to be the one"),
        ({"PROVIDER": "hcaptcha", "SITE_KEY": "x"}, "secret has to be the one that hcaptcha has given with"),
        ({"PROVIDER": "hcaptcha", "SITE_KEY": "x", "SECRET": "a b"}, "secret has to be the one that hcaptcha"),
        ({"VERIFY_ADDRESS": "http://captcha.example/verify"}, "verify_address has to be an address such as"),
        ({"VERIFY_ADDRESS": "https://captcha.example/verify?x=1"}, "verify_address has to be an address such as"),
    ],
)
def test_a_service_for_robot_checks_needs_its_keys(environ: dict[str, str], given: dict[str, str], said: str) -> None:
    (found,) = problems(environ | {f"IDP_ROBOT_CHECK_{name}": value for name, value in given.items()})

    assert found.startswith(f"[robot_check] {said}")


def test_a_service_with_its_keys_is_taken(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0x-a-secret\n")
    chosen = {"PROVIDER": "recaptcha", "SITE_KEY": "6Lc_a-key", "SECRET_FILE": str(tmp_path / "secret")}

    loaded = settings.load(environ | {f"IDP_ROBOT_CHECK_{name}": value for name, value in chosen.items()})

    assert loaded.robot_check.secret == "0x-a-secret"
    assert "0x-a-secret" not in repr(loaded)
