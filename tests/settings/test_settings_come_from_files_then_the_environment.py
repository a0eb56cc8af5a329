"""Where a setting's value comes from."""

from pathlib import Path

from idp import settings
from tests.settings.conftest import key


def test_defaults_are_production_s(environ: dict[str, str]) -> None:
    loaded = settings.load(environ)

    assert loaded.environment == "production"
    assert not loaded.is_development
    assert loaded.is_https
    assert loaded.passwords.bcrypt_cost == 12
    assert loaded.tokens.code_seconds == 60


def test_the_environment_overrules_the_files(folder: Path, environ: dict[str, str]) -> None:
    (folder / "production.toml").write_text("[server]\nport = 6000\nthreads = 7\n")

    loaded = settings.load(environ | {"IDP_SERVER_PORT": "7000"})

    assert (loaded.server.port, loaded.server.threads) == (7000, 7)


def test_the_district_s_file_adds_to_a_section_that_another_file_has(folder: Path, environ: dict[str, str]) -> None:
    (folder / "production.toml").write_text('[district]\nname = "District 1"\nsupport_phone = "1"\n')
    (folder / "district.toml").write_text('[district]\nname = "District 2"\n')

    loaded = settings.load(environ)

    assert (loaded.district.name, loaded.district.support_phone) == ("District 2", "1")


def test_only_the_chosen_environment_s_file_counts(folder: Path, environ: dict[str, str]) -> None:
    (folder / "development.toml").write_text("[server]\nport = 6000\n")

    assert settings.load(environ).server.port == 5000
    assert settings.load(environ | {"IDP_ENVIRONMENT": "development"}).server.port == 6000


def test_a_secret_can_lie_in_a_file(tmp_path: Path, environ: dict[str, str]) -> None:
    secret = tmp_path / "peppers"
    secret.write_text(environ.pop("IDP_SECRETS_PEPPERS") + "\n")

    loaded = settings.load(environ | {"IDP_SECRETS_PEPPERS_FILE": str(secret)})

    assert [key.name for key in loaded.secrets.peppers] == ["p1"]


def test_lists_are_separated_by_commas(environ: dict[str, str]) -> None:
    loaded = settings.load(environ | {"IDP_SERVER_ADMIN_NETWORKS": "10.0.0.0/8, 192.168.0.0/16"})

    assert loaded.server.admin_networks == ("10.0.0.0/8", "192.168.0.0/16")


def test_keys_in_a_file_may_have_a_line_each(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "peppers").write_text(f"new:{key('new')}\n{environ.pop('IDP_SECRETS_PEPPERS')}\r\n\n")

    loaded = settings.load(environ | {"IDP_SECRETS_PEPPERS_FILE": str(tmp_path / "peppers")})

    assert [one.name for one in loaded.secrets.peppers] == ["new", "p1"]


def test_schools_are_tables(folder: Path, environ: dict[str, str]) -> None:
    school = '{ key = "maine-east", name = "Maine East High School", colour = "#1b4aa0" }'
    (folder / "district.toml").write_text(f"[district]\nschools = [{school}]\n")

    assert settings.load(environ).district.schools == (
        settings.School("maine-east", "Maine East High School", "#1b4aa0"),
    )


def test_other_faqs_are_tables(folder: Path, environ: dict[str, str]) -> None:
    bus = '{ name = "Bus routes", address = "https://www.example.org/bus" }'
    horarios = '{ name = "Horarios", address = "https://www.example.org/es", language = "es" }'
    (folder / "district.toml").write_text(f"[district]\nother_faqs = [{bus}, {horarios}]\n")

    assert settings.load(environ).district.other_faqs == (
        settings.Faq("Bus routes", "https://www.example.org/bus"),
        settings.Faq("Horarios", "https://www.example.org/es", "es"),
    )


def test_the_words_of_help_are_found_from_the_folder_of_settings_on(folder: Path, environ: dict[str, str]) -> None:
    assert not settings.load(environ).district.help_folder, "those that come with the program"
    (folder / "help").mkdir()

    assert settings.load(environ).district.help_folder == str(folder / "help")
    named = settings.load(environ | {"IDP_DISTRICT_HELP_FOLDER": "texts"})
    assert named.district.help_folder == str(folder / "texts")
    assert settings.load(environ | {"IDP_DISTRICT_HELP_FOLDER": "/etc/help"}).district.help_folder == "/etc/help"


def test_the_files_of_this_checkout_are_right(environ: dict[str, str]) -> None:
    del environ["IDP_CONFIG"]

    assert [school.key for school in settings.load(environ).district.schools] == [
        "maine-east",
        "maine-south",
        "maine-west",
    ]
    assert settings.load(environ | {"IDP_ENVIRONMENT": "development"}).is_development
