"""Names of object classes and the groups that stand for several."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.labels import GROUPS, expand, normalised
from schemas.runtime_config import DEFAULT_CLASSES


@pytest.mark.parametrize(
    "name",
    ["traffic light", "Traffic Light", "traffic_light", "TRAFFIC-LIGHT", "  traffic \t light ", "_traffic__light"],
)
def test_spellings_of_one_class_are_one(name: str) -> None:
    assert normalised(name) == "traffic_light"


@settings(deadline=None)
@given(st.text())
def test_normalising_twice_changes_nothing_more(name: str) -> None:
    assert normalised(normalised(name)) == normalised(name)


@pytest.mark.parametrize("kind", ["car", "truck", "bus", "motorcycle", "bicycle"])
def test_a_vehicle_is_each_of_the_detectors_vehicles(kind: str) -> None:
    assert kind in expand(["vehicle"])


@pytest.mark.parametrize("kind", ["dog", "cat", "bird", "horse"])
def test_an_animal_is_each_of_the_detectors_animals(kind: str) -> None:
    assert kind in expand(["Animal"])


def test_a_person_is_neither_vehicle_nor_animal() -> None:
    assert "person" not in expand(["vehicle", "animal"])


def test_a_group_stands_for_itself_too() -> None:
    assert "vehicle" in expand(["vehicle"])


def test_a_class_stands_for_itself_only() -> None:
    assert expand(["Car"]) == {"car"}


def test_a_member_does_not_stand_for_its_group() -> None:
    assert "vehicle" not in expand(["car"])


def test_nothing_stands_for_nothing() -> None:
    assert expand([]) == frozenset() == expand([" ", "_", "--"])


def test_each_default_class_but_the_person_is_in_one_group() -> None:
    for name in DEFAULT_CLASSES:
        assert sum(name in members for members in GROUPS.values()) == (name != "person")


def test_the_groups_are_written_in_their_normal_form() -> None:
    for group, members in GROUPS.items():
        assert all(name == normalised(name) for name in (group, *members))
