"""Walks and rebuilds the tree of sections: the one mechanism behind draws, ranges and traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel

from coachbuilder.programme.assumption import Assumption

Model = TypeVar("Model", bound=BaseModel)


def map_assumptions(model: Model, change: Callable[[str, Assumption, str], Assumption], prefix: str = "") -> Model:
    """Return a copy of ``model`` with every assumption replaced by ``change(path, assumption, evidence)``.

    Parameters
    ----------
    model
        A section with assumptions anywhere below it, in tuples and mappings too.
    change
        Called with the dotted path, the assumption and the evidence entry inherited from the sections above.
    prefix
        Path of ``model`` itself.
    """
    rebuilt = _rebuild(model, prefix, "", change)
    assert isinstance(rebuilt, type(model))
    return rebuilt


def iterate_assumptions(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Assumption]]:
    """Yield every assumption below ``model`` with its dotted path, in the order of the schema."""
    for name in type(model).model_fields:
        yield from _iterate(getattr(model, name), f"{prefix}.{name}" if prefix else name)


def item_key(item: object, index: int) -> str:
    """Return how an item of a list is addressed in a path: by its ``id`` where it has one, else by position."""
    identifier = getattr(item, "id", None)
    return identifier if isinstance(identifier, str) and identifier else str(index)


def _iterate(node: object, path: str) -> Iterator[tuple[str, Assumption]]:
    if isinstance(node, Assumption):
        yield path, node
    elif isinstance(node, BaseModel):
        yield from iterate_assumptions(node, path)
    elif isinstance(node, tuple):
        for index, item in enumerate(node):
            yield from _iterate(item, f"{path}.{item_key(item, index)}")
    elif isinstance(node, dict):
        for key, item in node.items():
            yield from _iterate(item, f"{path}.{key}")


def _rebuild(node: Any, path: str, evidence: str, change: Callable[[str, Assumption, str], Assumption]) -> Any:
    if isinstance(node, Assumption):
        return change(path, node, evidence)
    if isinstance(node, BaseModel):
        shared = getattr(node, "evidence", "")
        inherited = shared if isinstance(shared, str) and shared else evidence
        updates = {}
        for name in type(node).model_fields:
            old = getattr(node, name)
            new = _rebuild(old, f"{path}.{name}" if path else name, inherited, change)
            if new is not old:
                updates[name] = new
        return node.model_copy(update=updates) if updates else node
    if isinstance(node, tuple):
        items = tuple(
            _rebuild(item, f"{path}.{item_key(item, index)}", evidence, change) for index, item in enumerate(node)
        )
        return node if all(new is old for new, old in zip(items, node, strict=True)) else items
    if isinstance(node, dict):
        rebuilt = {key: _rebuild(item, f"{path}.{key}", evidence, change) for key, item in node.items()}
        return node if all(rebuilt[key] is node[key] for key in node) else rebuilt
    return node
