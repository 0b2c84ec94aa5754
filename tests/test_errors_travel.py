"""Every exception of the project survives the trip between processes: its class, its arguments, its words."""

import inspect
import pickle
import pkgutil
import typing
from collections.abc import Iterator
from importlib import import_module
from types import UnionType
from typing import Any, Literal

import pytest

PACKAGES = ("schemas", "domain", "storage", "vision", "language", "notify", "actors", "deployments", "launch", "demo")
SINGLE_MODULES = ("settings", "serve_app", "cli")


def modules() -> Iterator[str]:
    yield from SINGLE_MODULES
    for package in PACKAGES:
        yield package
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                yield module.name


def exceptions() -> list[type[Exception]]:
    found = {
        kind
        for name in modules()
        for kind in vars(import_module(name)).values()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == name
    }
    return sorted(found, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def example(wanted: Any, name: str) -> Any:
    """A value of the type that a constructor's parameter asks for."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is Literal:
        return arguments[0]
    if origin in (typing.Union, UnionType):
        return example(arguments[0], name)
    if origin is tuple:
        return tuple(example(one, name) for one in arguments if one is not Ellipsis)
    return {str: f"the {name}", int: 7, float: 1.5, bool: True}.get(wanted, f"the {name}")


def made(kind: type[Exception]) -> Exception:
    """One with every argument given."""
    if not inspect.isfunction(kind.__init__):  # a built-in's own: it takes whatever it is given
        return kind("what went wrong")
    hints = typing.get_type_hints(kind.__init__)
    parameters = list(inspect.signature(kind).parameters.values())
    assert all(one.kind is not one.KEYWORD_ONLY for one in parameters), "arguments of an error are positional"
    named = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return kind(*(example(hints.get(one.name, str), one.name) for one in named)) if named else kind("what went wrong")


@pytest.mark.parametrize("kind", exceptions(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_an_exception_survives_the_trip_between_processes(kind: type[Exception]) -> None:
    error = made(kind)
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is kind
    assert (arrived.args, str(arrived), vars(arrived)) == (error.args, str(error), vars(error))


def test_the_walk_finds_what_there_is() -> None:
    assert {"LeaseLost", "DetectorUnavailable", "ActorAway", "ServiceRefused"} <= {
        kind.__name__ for kind in exceptions()
    }
