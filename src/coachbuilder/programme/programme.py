"""The programme as the stages see it: typed, validated, every number with its evidence and its range."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from coachbuilder.programme.assumption import PLACEHOLDER, Assumption
from coachbuilder.programme.evidence import joint_probability
from coachbuilder.programme.sections.common import ModelRole, ModelSection
from coachbuilder.programme.tree import Recipe, iterate_assumptions, map_assumptions, recipe_of, set_values

if TYPE_CHECKING:
    from coachbuilder.programme.evidence import Evidence, Standing
    from coachbuilder.programme.line import LinePlace
    from coachbuilder.programme.orders import Order
    from coachbuilder.programme.schema import PlantDocument, ProgrammeDocument
    from coachbuilder.programme.tasks import Task


class _ReadingAssumption(Assumption):
    """An assumption that notes when its value is read; see :meth:`Programme.traced`."""

    __slots__ = ("reads",)
    reads: set[str]

    @classmethod
    def watch(cls, assumption: Assumption, reads: set[str]) -> _ReadingAssumption:
        """Return a twin of ``assumption`` that adds its path to ``reads`` when its value is read."""
        twin = object.__new__(cls)
        for item in fields(Assumption):
            object.__setattr__(twin, item.name, getattr(assumption, item.name))
        object.__setattr__(twin, "reads", reads)
        return twin

    def __getattribute__(self, name: str) -> object:
        if name == "value":
            object.__getattribute__(self, "reads").add(object.__getattribute__(self, "path"))
        return object.__getattribute__(self, name)


@dataclass(frozen=True)
class Programme:
    """One vehicle, one brand, one host plant, one deal, one market.

    Parameters
    ----------
    document
        What programme.toml holds.
    plant
        What plant.toml holds.
    tasks
        Work elements of tasks.csv.
    orders
        The day's orders of orders.csv or the plant's database, or ``None`` where an order book is drawn from the mix.
    line
        Today's assignment of line.csv; empty where the line is balanced from nothing.
    evidence
        Entries of the register that ``as_of`` can see.
    hidden_evidence
        Names of the entries that are dated later.
    standings
        What every visible entry carries once support and denial are counted.
    folder
        Where it was loaded from.
    """

    document: ProgrammeDocument
    plant: PlantDocument
    tasks: tuple[Task, ...]
    orders: tuple[Order, ...] | None
    evidence: Mapping[str, Evidence]
    hidden_evidence: tuple[str, ...]
    standings: Mapping[str, Standing]
    folder: Path = field(default_factory=Path)
    line: tuple[LinePlace, ...] = ()

    @property
    def as_of(self) -> dt.date:
        """The day on which the decision is looked at."""
        return self.document.programme.as_of

    @property
    def seed(self) -> int:
        """Seed of every random draw in the plan."""
        return self.document.programme.seed

    @cached_property
    def guest(self) -> ModelSection:
        """The brand's car on the host's lines."""
        return next(model for model in self.plant.model if model.role is ModelRole.GUEST)

    @cached_property
    def residents(self) -> tuple[ModelSection, ...]:
        """The host's own cars already built there."""
        return tuple(model for model in self.plant.model if model.role is ModelRole.RESIDENT)

    @property
    def resident_units_per_year(self) -> dict[str, float]:
        """Cars a year that the host plans to build, by resident model."""
        return {model.id: model.units_per_year for model in self.residents}

    def evidence_kind(self, assumption: Assumption) -> str:
        """Return the kind of evidence that an assumption names; a placeholder where it names none."""
        entry = self.evidence.get(assumption.evidence)
        return PLACEHOLDER if entry is None else entry.kind.value

    @cached_property
    def assumptions(self) -> dict[str, Assumption]:
        """Every assumption by its dotted path; the two files share no table, so that paths are unique."""
        return {**dict(iterate_assumptions(self.document)), **dict(iterate_assumptions(self.plant))}

    @cached_property
    def assumptions_by_evidence(self) -> dict[str, tuple[str, ...]]:
        """Paths of the assumptions that name each entry of the register."""
        groups: dict[str, list[str]] = {}
        for path, assumption in self.assumptions.items():
            groups.setdefault(assumption.evidence, []).append(path)
        return {name: tuple(paths) for name, paths in groups.items()}

    @property
    def partnership_probability(self) -> float:
        """Probability that every claim on which the programme rests is true, taken as independent of each other."""
        return joint_probability([self.standings[name].probability for name in self.document.programme.switches])[0]

    def with_values(self, values: Mapping[str, float]) -> Programme:
        """Return this programme with some assumptions at other values; ranges and evidence stay.

        Parameters
        ----------
        values
            New values by path, as in :attr:`assumptions`.

        Raises
        ------
        KeyError
            If a path is no assumption of this programme.
        """
        unknown = set(values) - self.assumptions.keys()
        if unknown:
            raise KeyError(sorted(unknown)[0])

        document, plant = self._recipes
        return replace(
            self,
            document=set_values(self.document, document, values),
            plant=set_values(self.plant, plant, values),
        )

    @cached_property
    def _recipes(self) -> tuple[Recipe, Recipe]:
        return recipe_of(self.document), recipe_of(self.plant)

    def drawable(self) -> DrawableProgramme:
        """Return a copy of this programme that takes the values of one draw after another."""
        return DrawableProgramme(self)

    def traced(self) -> tuple[Programme, set[str]]:
        """Return a twin of this programme and the set into which it notes each assumption whose value is read."""
        reads: set[str] = set()
        return self._mapped(lambda _path, assumption, _evidence: _ReadingAssumption.watch(assumption, reads)), reads

    def _mapped(self, change: Callable[[str, Assumption, str], Assumption]) -> Programme:
        return replace(self, document=map_assumptions(self.document, change), plant=map_assumptions(self.plant, change))


class DrawableProgramme:
    """A programme that takes the values of one draw after another in place, for the thousands of draws of a run.

    Rebuilding the sections for every draw takes longer than a stage. The programme that :meth:`at` returns is always
    the same object: whoever keeps it sees the values of the latest draw.

    Parameters
    ----------
    programme
        The programme with every assumption at its value; it is left alone.
    """

    def __init__(self, programme: Programme) -> None:
        self._central = {path: item.value for path, item in programme.assumptions.items()}
        self._own: dict[str, Assumption] = {}
        self._moved: set[str] = set()
        self._programme = programme._mapped(self._twin)

    def _twin(self, path: str, assumption: Assumption, _evidence: str) -> Assumption:
        self._own[path] = assumption.at(assumption.value)
        return self._own[path]

    def at(self, values: Mapping[str, float]) -> Programme:
        """Return the programme with some assumptions at other values, the rest at their own.

        Parameters
        ----------
        values
            New values by path, as in :attr:`Programme.assumptions`.

        Raises
        ------
        KeyError
            If a path is no assumption of this programme.
        """
        own, central = self._own, self._central
        unknown = values.keys() - own.keys()
        if unknown:
            raise KeyError(sorted(unknown)[0])
        for path in self._moved - values.keys():
            object.__setattr__(own[path], "value", central[path])
        for path, value in values.items():
            object.__setattr__(own[path], "value", value)
        self._moved = set(values)
        return self._programme

    def setter(self, paths: Sequence[str]) -> Callable[[Sequence[float]], Programme]:
        """Return what :meth:`at` does for always the same paths, given their values in order: in a tenth of the time.

        Parameters
        ----------
        paths
            Assumptions, each once. All others are at their own values.

        Raises
        ------
        KeyError
            If a path is no assumption of this programme.
        """
        programme = self.at({path: self._central[path] for path in paths})
        items = [self._own[path] for path in paths]
        put = vars(Assumption)["value"].__set__

        def moved(values: Sequence[float]) -> Programme:
            for item, value in zip(items, values, strict=True):
                put(item, value)
            return programme

        return moved
