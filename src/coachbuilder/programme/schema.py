"""The two TOML files of a programme folder as typed documents."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from coachbuilder.programme.assumption import ASSUMPTION_JSON_SCHEMA, ASSUMPTION_TITLE
from coachbuilder.programme.base import Section
from coachbuilder.programme.evidence import Evidence
from coachbuilder.programme.sections.assembly import AssemblySection, TaskTimesSection
from coachbuilder.programme.sections.common import (
    ModelSection,
    PartySection,
    PlantSection,
    ProgrammeSection,
    ShiftSection,
)
from coachbuilder.programme.sections.deal import DealSection
from coachbuilder.programme.sections.flow import FlowSection
from coachbuilder.programme.sections.market import MarketSection
from coachbuilder.programme.sections.outcome import OutcomeSection
from coachbuilder.programme.sections.parties import PartiesSection
from coachbuilder.programme.sections.routes import RoutesSection
from coachbuilder.programme.sections.sequence import SequenceSection
from coachbuilder.programme.sections.vehicle import VehicleSection
from coachbuilder.programme.units import unit_of


class ProgrammeDocument(Section):
    """What programme.toml holds."""

    schema_location: str = Field(default="", alias="$schema")
    """Where an editor finds the JSON Schema of this file."""
    programme: ProgrammeSection
    """The programme itself."""
    brand: PartySection
    """The company whose badge the car carries."""
    host: PartySection
    """The company whose plant builds it."""
    vehicle: VehicleSection
    """The car."""
    market: MarketSection
    """Who buys it, and what the news is worth."""
    deal: DealSection
    """What it costs and who earns what."""
    routes: RoutesSection | None = None
    """What else the brand could do, and how unsure demand is."""
    parties: PartiesSection | None = None
    """Which lists of authorities name the brand, the host or a supplier."""
    evidence: dict[str, Evidence]
    """The register: every claim that a number may rest on."""
    outcome: tuple[OutcomeSection, ...] = ()
    """What became of claims, as far as it is known; a plan never sees it, a replay is scored by it."""


class PlantDocument(Section):
    """What plant.toml holds."""

    schema_location: str = Field(default="", alias="$schema")
    """Where an editor finds the JSON Schema of this file."""
    plant: PlantSection
    """The host's plant."""
    model: tuple[ModelSection, ...]
    """The resident models and the guest."""
    shifts: ShiftSection
    """When the plant works."""
    tasks: TaskTimesSection
    """How the times in tasks.csv are to be taken."""
    assembly: AssemblySection
    """The final assembly line: segments, stations, equipment, rules."""
    sequence: SequenceSection
    """Options, colours and rules of the build order."""
    flow: FlowSection
    """Shops, buffers, failures and the launch ramp."""


def json_schema(document: type[Section]) -> dict[str, Any]:
    """Return the JSON Schema of a document, for editors, with the unit of every number.

    Parameters
    ----------
    document
        :class:`ProgrammeDocument` or :class:`PlantDocument`.

    Examples
    --------
    >>> json_schema(ProgrammeDocument)["title"]
    'ProgrammeDocument'
    """
    schema: dict[str, Any] = _with_references(document.model_json_schema(by_alias=True))
    definitions = schema.setdefault("$defs", {})
    definitions[ASSUMPTION_TITLE] = ASSUMPTION_JSON_SCHEMA
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    for section in (schema, *definitions.values()):
        for name, field in section.get("properties", {}).items():
            unit = unit_of(name)
            if unit and any(item.get("$ref") == _REFERENCE for item in (field, *field.get("anyOf", ()))):
                field["unit"] = unit
    return schema


_REFERENCE = f"#/$defs/{ASSUMPTION_TITLE}"


def _with_references(node: Any) -> Any:
    """Return a schema with a reference wherever an assumption stands, its description and default kept."""
    if isinstance(node, dict):
        if node.get("title") == ASSUMPTION_TITLE and "type" not in node and "properties" not in node:
            kept = {key: node[key] for key in ("description",) if key in node}
            return {"$ref": _REFERENCE, **kept}
        return {key: _with_references(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_references(item) for item in node]
    return node
