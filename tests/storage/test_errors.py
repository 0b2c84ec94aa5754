"""Storage errors travel between actors, so they pickle."""

import pickle

import pytest

from storage import errors
from storage.errors import Conflict, StoreError

EVERY = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, StoreError)]


@pytest.mark.parametrize("error", EVERY)
def test_an_error_says_its_message_after_a_trip_between_processes(error: type[StoreError]) -> None:
    arrived = pickle.loads(pickle.dumps(error("the camera is gone")))
    assert type(arrived) is error
    assert str(arrived) == "the camera is gone"


def test_a_conflict_still_names_its_constraint_after_the_trip() -> None:
    arrived = pickle.loads(pickle.dumps(Conflict("twice", "alerts_once")))
    assert (str(arrived), arrived.constraint) == ("twice", "alerts_once")
