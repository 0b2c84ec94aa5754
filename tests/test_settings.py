"""What an operator sets: read from the environment, refused with the variable's name and the fix."""

from pathlib import Path

import pytest

from settings import SettingsError, load_settings


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


KEY, OTHER_KEY = "key-0123456789abcdef", "other-key-0123456789"


def test_keys_are_named_or_bare_and_may_come_from_a_file_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"front:{KEY}\n{OTHER_KEY}\n\n")
    from_file = load_settings({"API_KEYS_FILE": str(tmp_path / "keys")})
    assert from_file.given_keys() == load_settings({"API_KEYS": f"front:{KEY}, {OTHER_KEY}"}).given_keys()
    assert from_file.given_keys()[0].name == "front"
    assert KEY not in repr(from_file) + str(from_file.given_keys())


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False),
        ({"API_HOST": "localhost"}, False),
        ({"API_HOST": "::1"}, False),
        ({"API_KEY_ENABLED": "true"}, True),
        ({"API_KEY_ENABLED": ""}, False),
        ({"API_KEYS": KEY}, True),
        ({"API_KEYS": KEY, "API_KEY_ENABLED": "false"}, False),
        ({"API_HOST": "0.0.0.0"}, True),
        ({"API_HOST": "::"}, True),
        ({"API_HOST": "192.168.1.5"}, True),
        ({"API_HOST": "cameras.example"}, True),
        ({"API_HOST": "0.0.0.0", "API_KEY_ENABLED": "false"}, True),
    ],
)
def test_keys_are_asked_for_beyond_loopback_always_and_there_if_wanted(
    environment: dict[str, str], asked: bool
) -> None:
    assert load_settings(environment).asks_for_keys is asked


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("cameras.example", "http://cameras.example:8000"),
    ],
)
def test_a_program_of_this_machine_finds_the_api_wherever_it_is_bound(host: str, url: str) -> None:
    assert load_settings({"API_HOST": host}).api_url == url


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("API_KEYS", "hunter2"),
        ("API_KEY_ENABLED", "perhaps"),
        ("TRUSTED_PROXY_IPS", "proxy.example"),
        ("TRUSTED_PROXY_IPS", "10.0.0.0/99"),
        ("ALLOWED_HOSTS", "https://home.lan"),
        ("ALLOWED_HOSTS", "home.lan:8000"),
        ("ALLOWED_HOSTS", "*"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("CORS_ALLOWED_ORIGINS", "home.lan"),
        ("CORS_ALLOWED_ORIGINS", "https://home.lan/"),
        ("RATE_LIMIT_READ_PER_MINUTE", "0"),
    ],
)
def test_what_would_leave_the_door_open_is_refused_by_its_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: ") as refused:
        load_settings({variable: value})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "gpu-box:8000",
        "ftp://gpu-box/v1",
        "http://",
        "http://:8000/v1",
        "http://gpu-box:0/v1",
        "http://gpu-box:99999/v1",
        "http://owner:hunter2@gpu-box/v1",
        "http://gpu-box/v1?key=hunter2",
        "http://gpu-box/v1#hunter2",
    ],
)
def test_a_model_servers_address_that_cannot_be_one_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^NEMOTRON_URL: .*http://gpu-box:8000/v1") as refused:
        load_settings({"NEMOTRON_URL": url})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "https://gpu-box", "http://[::1]:8000/v1", " http://a "])
def test_a_model_servers_address_is_taken(url: str) -> None:
    settings = load_settings({"NEMOTRON_URL": url})
    assert (settings.nemotron_url, settings.has_language_model) == (url.strip(), True)


def test_a_model_of_our_own_and_a_server_are_one_too_many() -> None:
    with pytest.raises(SettingsError, match="NEMOTRON_MODEL is set too: keep NEMOTRON_URL"):
        load_settings({"NEMOTRON_MODEL": "nvidia/x", "NEMOTRON_URL": "http://127.0.0.1:8000/v1"})


def test_a_fault_is_told_in_our_own_words_alone() -> None:
    with pytest.raises(SettingsError, match=r"^ALLOWED_HOSTS: home\.lan:8000 is not a host's name: write it as "):
        load_settings({"ALLOWED_HOSTS": "home.lan:8000"})


def test_an_empty_setting_of_the_language_model_is_an_unset_one() -> None:
    settings = load_settings(
        {"NEMOTRON_MODEL": "", "NEMOTRON_URL": "", "NEMOTRON_API_KEY": "", "NEMOTRON_URL_MODEL": ""}
    )
    assert not settings.has_language_model
    assert settings.nemotron_api_key is None


@pytest.mark.parametrize("beside", [{}, {"NEMOTRON_MODEL": "nvidia/x"}])
@pytest.mark.parametrize("alone", ["NEMOTRON_URL_MODEL", "NEMOTRON_API_KEY"])
def test_what_is_for_a_server_needs_one(alone: str, beside: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=rf"^{alone}: .*set NEMOTRON_URL") as refused:
        load_settings({alone: "hunter2", **beside})
    assert "hunter2" not in str(refused.value)


def test_a_bad_server_is_the_only_fault_that_is_told() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"NEMOTRON_URL": "gpu-box", "NEMOTRON_URL_MODEL": "nano"})
    assert "NEMOTRON_URL_MODEL" not in str(refused.value)


def test_thinking_leaves_half_of_the_models_length_to_prompt_and_answer() -> None:
    asked = {"NEMOTRON_MAX_MODEL_LEN": "4096", "NEMOTRON_THINKING_TOKENS": "4000"}
    assert load_settings(asked).nemotron_thinking_tokens == 4000
    with pytest.raises(SettingsError, match=r"^NEMOTRON_THINKING_TOKENS: .*NEMOTRON_MAX_MODEL_LEN \(4096\)"):
        load_settings({**asked, "NEMOTRON_THINKING": "true"})
