"""Where operators stand: at most so many in one zone of a car, each where all that he or she leads can be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def standing_zones(fitting: Mapping[int, Sequence[str]], operators_per_zone: int) -> dict[int, str]:
    """Return a zone for each operator, as far as there are enough: a matching found by augmenting paths.

    Parameters
    ----------
    fitting
        Zones that suit each operator.
    operators_per_zone
        Operators who may stand in one zone.

    Examples
    --------
    >>> standing_zones({1: ["left", "front"], 2: ["left"]}, 1)
    {2: 'left', 1: 'front'}
    """
    taken: dict[str, list[int]] = {zone: [] for zones in fitting.values() for zone in zones}

    def stand(operator: int, seen: set[str]) -> bool:
        for zone in fitting[operator]:
            if zone in seen:
                continue
            seen.add(zone)
            if len(taken[zone]) < operators_per_zone:
                taken[zone].append(operator)
                return True
            for other in taken[zone]:
                if stand(other, seen):
                    taken[zone][taken[zone].index(other)] = operator
                    return True
        return False

    for operator in sorted(fitting, key=lambda operator: len(fitting[operator])):
        stand(operator, set())
    return {operator: zone for zone, operators in taken.items() for operator in operators}


__all__ = ["standing_zones"]
