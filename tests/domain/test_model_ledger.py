"""The ledger never passes its budget, and nothing that is in use leaves."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.model_ledger import ModelLedger, NeverFits, NoRoom, Room

EXPECTED = {"a": 300, "b": 200, "c": 400, "d": 1000, "huge": 2000, "free": 0}


def ledger(*loaded: str, budget: int = 1000) -> ModelLedger:
    made = ModelLedger(budget, EXPECTED)
    for name in loaded:
        assert made.reserve(name) == Room()
        assert made.settle(name, None) == Room()
    return made


def test_a_model_is_charged_from_its_reservation_on() -> None:
    book = ledger()
    book.reserve("a")
    assert (book.used_mb, book.charged) == (300, ("a",))


def test_using_a_model_makes_it_the_last_to_leave() -> None:
    book = ledger("a", "b", "c")
    book.take("a")
    book.give_back("a")
    assert book.charged == ("b", "c", "a")


def test_as_few_leave_as_are_needed_in_the_order_of_their_use() -> None:
    book = ModelLedger(1000, EXPECTED | {"new": 350})
    for name in ("a", "b", "c"):
        book.reserve(name)
        book.settle(name, None)
    assert book.reserve("new") == Room(("a",))
    assert book.charged == ("b", "c", "new")


def test_one_in_use_stays_and_another_leaves_in_its_place() -> None:
    book = ModelLedger(1000, EXPECTED | {"new": 350})
    for name in ("a", "b", "c"):
        book.reserve(name)
        book.settle(name, None)
    book.take("a")
    assert book.reserve("new") == Room(("b", "c"))


def test_when_what_is_in_use_leaves_no_room_nobody_leaves() -> None:
    book = ledger("a", "b", "c")
    book.take("a")
    decision = book.reserve("d")
    assert decision == NoRoom(1000, ("a",), 300, 1000)
    assert book.charged == ("b", "c", "a")
    assert "1000 MB" in decision.reason
    assert "a hold 300 MB" in decision.reason


def test_one_that_can_never_fit_is_refused_with_both_figures() -> None:
    decision = ledger("a").reserve("huge")
    assert decision == NeverFits(2000, 1000)
    assert "2000 MB" in decision.reason
    assert "1000 MB" in decision.reason


def test_a_failed_load_leaves_no_charge() -> None:
    book = ledger()
    book.reserve("a")
    book.release("a")
    assert (book.used_mb, book.charged) == (0, ())


def test_one_that_is_being_loaded_does_not_leave_for_another() -> None:
    book = ledger()
    book.reserve("c")
    assert isinstance(book.reserve("d"), NoRoom)


def test_a_model_that_costs_nothing_neither_leaves_nor_makes_others_leave() -> None:
    book = ledger("free", "a", "b", "c")
    assert book.reserve("d") == Room(("a", "b", "c"))
    assert "free" in book.charged


def test_a_measured_footprint_takes_the_place_of_the_expected_one() -> None:
    book = ledger()
    book.reserve("a")
    assert book.settle("a", 120) == Room()
    assert (book.cost("a"), book.used_mb, book.is_measured("a")) == (120, 120, True)
    book.release("a")
    assert book.cost("a") == 120


def test_one_that_measures_more_than_expected_makes_others_leave() -> None:
    book = ledger("b", "c")
    book.reserve("a")
    assert book.settle("a", 700) == Room(("b", "c"))
    assert book.used_mb == 700


def test_one_that_measures_more_than_the_budget_leaves_itself_and_is_refused_from_then_on() -> None:
    book = ledger("b")
    book.reserve("a")
    assert book.settle("a", 1500) == NeverFits(1500, 1000)
    assert book.charged == ("b",)
    assert book.reserve("a") == NeverFits(1500, 1000)


def test_other_weights_are_tried_at_the_expected_figure_again() -> None:
    book = ledger()
    book.reserve("a")
    book.settle("a", 1500)
    book.forget_measurement("a")
    assert book.reserve("a") == Room()


def test_one_that_outgrows_its_room_while_the_others_are_in_use_leaves_itself() -> None:
    book = ledger("c")
    book.take("c")
    book.reserve("a")
    assert book.settle("a", 700) == NoRoom(700, ("c",), 400, 1000)
    assert book.charged == ("c",)


@pytest.mark.parametrize(
    "mistake",
    [lambda book: book.reserve("a"), lambda book: book.settle("a", 5), lambda book: book.give_back("a")],
    ids=["reserved twice", "settled without a reservation", "given back by nobody"],
)
def test_a_callers_mistake_is_an_error(mistake: Callable[[ModelLedger], object]) -> None:
    book = ledger("a")
    with pytest.raises(ValueError, match="a "):
        mistake(book)


NAMES = st.sampled_from(sorted(EXPECTED))


class LedgerRules(RuleBasedStateMachine):
    """Whatever is asked in whatever order: the promises of the module hold."""

    def __init__(self) -> None:
        super().__init__()
        self.book = ModelLedger(1000, EXPECTED)
        self.loading: set[str] = set()
        self.loaded: set[str] = set()
        self.references = dict.fromkeys(EXPECTED, 0)

    def leave(self, decision: Room) -> None:
        for name in decision.left:
            assert self.references[name] == 0, "one in use has left"
            assert name in self.loaded, "one that is not loaded has left"
            self.loaded.remove(name)

    @rule(name=NAMES)
    def begin_load(self, name: str) -> None:
        if name in self.loading | self.loaded:
            return
        decision = self.book.reserve(name)
        if isinstance(decision, Room):
            self.leave(decision)
            self.loading.add(name)
        elif isinstance(decision, NoRoom):
            held = sum(self.book.cost(n) for n in self.loading | {n for n in self.loaded if self.references[n]})
            assert held + self.book.cost(name) > 1000, "there was room"

    @precondition(lambda self: self.loading)
    @rule(data=st.data(), measured=st.none() | st.integers(0, 1500))
    def end_load(self, data: st.DataObject, measured: int | None) -> None:
        name = data.draw(st.sampled_from(sorted(self.loading)))
        self.loading.remove(name)
        decision = self.book.settle(name, measured)
        if isinstance(decision, Room):
            self.leave(decision)
            self.loaded.add(name)

    @precondition(lambda self: self.loading)
    @rule(data=st.data())
    def fail_load(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.loading)))
        self.loading.remove(name)
        self.book.release(name)

    @rule(name=NAMES)
    def take(self, name: str) -> None:
        self.book.take(name)
        self.references[name] += 1

    @rule(name=NAMES)
    def give_back(self, name: str) -> None:
        if self.references[name]:
            self.book.give_back(name)
            self.references[name] -= 1

    @rule(name=NAMES)
    def other_weights(self, name: str) -> None:
        self.book.forget_measurement(name)

    @invariant()
    def the_budget_is_kept_and_the_charges_are_what_is_in_memory(self) -> None:
        assert self.book.used_mb <= 1000
        assert set(self.book.charged) == self.loading | self.loaded
        assert self.book.used_mb == sum(self.book.cost(name) for name in self.book.charged)
        assert {name: self.book.references(name) for name in EXPECTED} == self.references


TestLedgerRules = LedgerRules.TestCase
TestLedgerRules.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
