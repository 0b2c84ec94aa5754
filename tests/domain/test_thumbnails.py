"""A thumbnail's name, and which detection it belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.thumbnails import detection_called, thumbnail_name


def test_the_name_holds_the_id_and_the_start_of_the_contents_hash() -> None:
    assert thumbnail_name(12345, bytes.fromhex("00112233445566778899")) == "12/12345-0011223344556677.jpg"


@given(st.integers(1, 2**63 - 1), st.binary(max_size=32))
def test_a_name_leads_back_to_its_detection(detection_id: int, content_hash: bytes) -> None:
    assert detection_called(thumbnail_name(detection_id, content_hash)) == detection_id


@pytest.mark.parametrize(
    "name", ["x.jpg", "12/12345-0011.part", "13/12345-0011223344556677.jpg", "12/12345-0011.jpg/x", "0/0-00.jpg", "12"]
)
def test_any_other_name_belongs_to_none(name: str) -> None:
    assert detection_called(name) is None
