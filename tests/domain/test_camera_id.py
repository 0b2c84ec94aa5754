"""What a folder's name becomes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.camera_id import MAX_LENGTH, camera_id


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("Front Door", "front_door"),
        ("front-door", "front_door"),
        ("BACKYARD", "backyard"),
        ("cam_01", "cam_01"),
        ("Gate (north) #2", "gate_north_2"),
        ("quote\"d 'name'", "quoted_name"),
        ("Bob's; DROP TABLE", "bobs_drop_table"),
        ("a/b", "ab"),
        ("line\nbreak\tand\x00nul", "linebreakandnul"),
        ("non\u2011breaking\u00a0space", "non_breaking_space"),
    ],
)
def test_spaces_and_hyphens_become_underscores_and_other_non_word_characters_go(folder: str, expected: str) -> None:
    assert camera_id(folder) == expected


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("Straße Süd", "straße_süd"),
        ("Вход", "вход"),
        ("玄関 カメラ", "玄関_カメラ"),
        ("ÜBER", "über"),
        ("حديقة", "حديقة"),
        ("दरवाज़ा", unicodedata.normalize("NFC", "दरवाज़ा")),
    ],
)
def test_letters_of_every_script_are_kept(folder: str, expected: str) -> None:
    assert camera_id(folder) == expected


def test_composed_and_decomposed_spellings_are_one_camera() -> None:
    assert camera_id(unicodedata.normalize("NFD", "Bürö")) == camera_id(unicodedata.normalize("NFC", "Bürö")) == "bürö"


def test_names_that_only_folding_would_unite_stay_apart() -> None:
    assert camera_id("Straße") != camera_id("Strasse")


@pytest.mark.parametrize("folder", ["", "..", ".", "!!!", "📷", "\u0301", "\udcff\udcfe", "\n"])
def test_a_name_of_which_nothing_is_left_has_no_id(folder: str) -> None:
    assert camera_id(folder) is None


def test_bytes_that_are_not_utf8_are_dropped() -> None:
    assert camera_id("gar\udce4ge") == "garge"


def test_invisible_characters_do_not_make_a_second_camera() -> None:
    assert camera_id("yard\u200b1\ufe0f\u20e3") == "yard1"


def test_long_names_that_differ_at_the_end_stay_two_cameras() -> None:
    one, other = camera_id("a" * 200 + "1"), camera_id("a" * 200 + "2")

    assert one is not None
    assert other is not None
    assert one != other
    assert len(one) == len(other) == MAX_LENGTH


def test_a_name_of_just_the_greatest_length_is_kept_whole() -> None:
    assert camera_id("b" * MAX_LENGTH) == "b" * MAX_LENGTH


@given(st.text(st.characters(exclude_categories=()), max_size=120))
def test_an_id_is_bounded_can_be_stored_and_maps_to_itself(folder: str) -> None:
    made = camera_id(folder)

    if made is not None:
        assert 1 <= len(made) <= MAX_LENGTH
        made.encode()
        assert not {"\x00", "/"} & set(made)
        assert camera_id(made) == made
