"""Folders of tiny language models, made once a session."""

from pathlib import Path

import pytest

from tests.language.tiny_models import tiny_llama, tiny_nemotron_h


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def nemotron_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_nemotron_h(tmp_path_factory.mktemp("models") / "tiny-nemotron-h")
