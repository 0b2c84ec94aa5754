"""What an operator sets: read from the environment, refused with the variable's name and the fix."""

from pathlib import Path

import pytest

from settings import SettingsError, load_settings, not_yet


def test_an_empty_environment_gives_a_system_on_loopback_with_its_own_stores() -> None:
    settings = load_settings({})
    assert (settings.api_host, settings.database_url, settings.redis_url) == ("127.0.0.1", None, None)
    assert settings.cameras == settings.data_dir / "cameras"
    assert settings.data_dir.is_absolute()


def test_lists_are_comma_separated_and_push_urls_separated_by_spaces() -> None:
    settings = load_settings({"SMTP_TO": "a@b.org, c@d.org", "PUSH_URLS": "ntfy://x/?a=1,2 json://y"})
    assert settings.smtp_to == ("a@b.org", "c@d.org")
    assert [url.get_secret_value() for url in settings.push_urls] == ["ntfy://x/?a=1,2", "json://y"]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("tops3cret\n")
    settings = load_settings({"SMTP_PASSWORD_FILE": str(tmp_path / "password")})
    assert settings.smtp_password is not None
    assert settings.smtp_password.get_secret_value() == "tops3cret"
    assert "tops3cret" not in repr(settings)


def test_a_secret_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="SMTP_PASSWORD_FILE: cannot read /nowhere"):
        load_settings({"SMTP_PASSWORD_FILE": "/nowhere"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("API_PORT", "many"),
        ("API_PORT", "70000"),
        ("TIMEZONE", "Mars/Olympus"),
        ("DETECTION_CONFIDENCE_THRESHOLD", "1.5"),
        ("BATCH_WINDOW_SECONDS", "0"),
        ("DETECTOR_DEVICE", "toaster"),
        ("RETENTION_DAYS", "400"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        load_settings({variable: value})


def test_a_bad_secret_is_not_repeated_in_the_error() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"SMTP_PORT": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_keys_that_do_not_exist_yet_are_not_silently_ignored() -> None:
    with pytest.raises(SettingsError, match="API_KEY_ENABLED"):
        load_settings({"API_KEY_ENABLED": "true"})


def test_a_language_model_that_is_asked_for_is_said_to_be_missing() -> None:
    assert not_yet({}) == []
    assert "NEMOTRON_URL" in not_yet({"NEMOTRON_URL": "http://127.0.0.1:8001"})[0]
