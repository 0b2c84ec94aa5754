"""Folders of tiny language models, made once a session."""

from pathlib import Path

import pytest

from bench.random_nemotron import random_llama, random_nemotron_h


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def nemotron_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_nemotron_h(tmp_path_factory.mktemp("models") / "tiny-nemotron-h")
