import pytest

from language.errors import ModelUnusable
from language.server_address import server_address


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("http://gpu-box:8000", "http://gpu-box:8000/v1"),
        ("http://gpu-box:8000/", "http://gpu-box:8000/v1"),
        ("http://gpu-box:8000/v1", "http://gpu-box:8000/v1"),
        (" http://gpu-box:8000/v1/ ", "http://gpu-box:8000/v1"),
        ("https://api.example.com/openai/v1", "https://api.example.com/openai/v1"),
        ("http://gpu-box:8000/v1/chat/completions", "http://gpu-box:8000/v1"),
        ("http://gpu-box:8000/v1/models", "http://gpu-box:8000/v1"),
        ("http://[fd00::7]:8000", "http://[fd00::7]:8000/v1"),
        ("HTTP://gpu-box", "http://gpu-box/v1"),
    ],
)
def test_the_address_is_taken_as_operators_write_it(written: str, base: str) -> None:
    assert server_address(written).base == base


def test_only_scheme_host_and_port_are_shown() -> None:
    assert server_address("https://gpu-box:8000/tenants/geheim/v1").origin == "https://gpu-box:8000"


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("gpu-box:8000", "http://"),
        ("ftp://gpu-box", "http://"),
        ("", "http://"),
        ("http://", "host"),
        ("http://:8000", "host"),
        ("http://gpu-box:99999", "port"),
        ("http://gpu-box:0", "port"),
        ("http://gpu-box:eight", "port"),
        ("http://[fd00::7", "address"),
        ("http://gpu box:8000", "character"),
        ("http://gpu-box\r\nHost: evil", "character"),
        ("http://gpu-bøx:8000", "character"),
        ("http://me:geheim@gpu-box:8000", "NEMOTRON_API_KEY"),
        ("http://geheim@gpu-box:8000", "NEMOTRON_API_KEY"),
        ("http://gpu-box:8000/v1?key=geheim", "?"),
        ("http://gpu-box:8000/v1#geheim", "#"),
    ],
)
def test_another_address_is_refused_in_words_that_keep_its_secrets(written: str, word: str) -> None:
    with pytest.raises(ModelUnusable) as refused:
        server_address(written)
    assert "NEMOTRON_URL" in refused.value.reason
    assert word in refused.value.reason
    assert "geheim" not in refused.value.reason
