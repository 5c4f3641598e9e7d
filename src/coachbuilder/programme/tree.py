"""Walks and rebuilds the tree of sections: the one mechanism behind draws, ranges and traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


def repeated_ids(
    node: object, path: str = "", location: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield path, id and location of every item of a list whose id an item before it has.

    Their numbers would share a path; the location names items of lists by number.
    """
    if isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from repeated_ids(getattr(node, name), f"{path}.{name}" if path else name, (*location, name))
    elif isinstance(node, tuple):
        seen: set[str] = set()
        for index, item in enumerate(node):
            key = item_key(item, index)
            if key in seen:
                yield f"{path}.id", key, (*location, str(index), "id")
            seen.add(key)
            yield from repeated_ids(item, f"{path}.{key}", (*location, str(index)))


Recipe = str | list[tuple[Any, "Recipe"]]
"""Where the assumptions below a node stand: a path, or the parts of the node that hold some."""


def recipe_of(node: object, path: str = "") -> Recipe:
    """Return where the assumptions below ``node`` stand, for :func:`set_values`."""
    if isinstance(node, Assumption):
        return path
    parts: Iterator[tuple[Any, object, str]] = iter(())
    if isinstance(node, BaseModel):
        parts = ((name, getattr(node, name), name) for name in type(node).model_fields)
    elif isinstance(node, tuple):
        parts = ((index, item, item_key(item, index)) for index, item in enumerate(node))
    elif isinstance(node, dict):
        parts = ((key, item, key) for key, item in node.items())
    found = [(key, recipe_of(item, f"{path}.{name}" if path else name)) for key, item, name in parts]
    return [(key, below) for key, below in found if below]


def set_values(node: Any, recipe: Recipe, values: Mapping[str, float]) -> Any:
    """Return a copy of ``node`` with assumptions at other values by path, along its recipe; the rest is shared."""
    if isinstance(recipe, str):
        value = values.get(recipe)
        return node if value is None else node.at(value)
    if isinstance(node, BaseModel):
        old = node.__dict__
        return node.model_copy(update={name: set_values(old[name], below, values) for name, below in recipe})
    if isinstance(node, dict):
        return {**node, **{key: set_values(node[key], below, values) for key, below in recipe}}
    items = list(node)
    for index, below in recipe:
        items[index] = set_values(items[index], below, values)
    return tuple(items)


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
