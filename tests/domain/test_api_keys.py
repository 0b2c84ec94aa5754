"""Keys: made from chance, named, and refused where they could be guessed."""

import pytest

from domain.api_keys import digest, hashed, key_text, named_keys, same, usable_name

GOOD, BETTER = "0123456789abcdef", "fedcba9876543210"


def test_a_made_key_fits_into_headers_addresses_and_subprotocols() -> None:
    key = key_text(bytes(range(224, 256)))
    assert key.startswith("hsi_")
    assert len(key) == 47
    assert all(char.isascii() and (char.isalnum() or char in "_-") for char in key)


def test_names_come_from_the_list_or_from_the_hash() -> None:
    first, second = named_keys([f"front.door-1:{GOOD}", BETTER])
    assert first == hashed("front.door-1", GOOD)
    assert second.name == f"key-{digest(BETTER.encode()).hex()[:6]}"


def test_a_key_may_hold_a_colon_after_its_name() -> None:
    assert named_keys([f"a:{GOOD}:{GOOD}"]) == (hashed("a", f"{GOOD}:{GOOD}"),)


@pytest.mark.parametrize("key", ["", "short", "x" * 15, "a" * 40, "abcabcabcabcabcabc", f"a:{'b' * 20}", "name:"])
def test_a_key_that_is_easy_to_guess_is_refused_with_the_mend(key: str) -> None:
    with pytest.raises(ValueError, match=r"entry 1 is too easy to guess.*openssl rand") as refused:
        named_keys([key])
    assert not key or key not in str(refused.value).replace("a key has", "")


@pytest.mark.parametrize(
    "key", ["schlüssel-0123456789", GOOD + "x" * 300, GOOD + "\x7f", f"bad name:{GOOD}", f":{GOOD}"]
)
def test_what_cannot_be_sent_or_named_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="entry 2") as refused:
        named_keys([BETTER, key])
    assert GOOD not in str(refused.value)
    assert "schl" not in str(refused.value)


def test_a_name_and_a_key_stand_in_the_list_once() -> None:
    with pytest.raises(ValueError, match="same name"):
        named_keys([f"a:{GOOD}", f"a:{BETTER}"])
    with pytest.raises(ValueError, match="same key"):
        named_keys([f"a:{GOOD}", f"b:{GOOD}"])


def test_hashes_are_compared_as_a_whole() -> None:
    one = digest(b"one")
    assert same(one, digest(b"one"))
    assert not same(one, one[:-1] + bytes([one[-1] ^ 1]))
    assert not same(one, bytes([one[0] ^ 1]) + one[1:])


@pytest.mark.parametrize("name", ["", "a b", "ü", "a:b", "x" * 65, "a\n"])
def test_a_name_is_plain(name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        usable_name(name)
