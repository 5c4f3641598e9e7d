"""Units live in names: ``mass_kg`` is in kilograms. This table says how a suffix reads."""

from __future__ import annotations

UNIT_SUFFIXES: dict[str, str] = {
    "cny_per_kwh": "CNY/kWh",
    "usd_per_kwh": "USD/kWh",
    "cny_per_kw": "CNY/kW",
    "cny_per_kg": "CNY/kg",
    "cny_per_h": "CNY/h",
    "cny_per_car": "CNY per car",
    "cny_per_usd": "CNY/USD",
    "cny_per_hkd": "CNY/HKD",
    "usd_per_car": "USD per car",
    "hkd_per_car": "HKD per car",
    "cny_per_year": "CNY per year",
    "kg_per_kwh": "kg/kWh",
    "kg_per_kw": "kg/kW",
    "w_per_k": "W/K",
    "per_min": "1/min",
    "per_h": "1/h",
    "kwh_per_100km": "kWh/100 km",
    "wh_per_km": "Wh/km",
    "per_day": "1/day",
    "per_year": "1/year",
    "per_hour": "1/h",
    "n_per_mps2": "N/(m/s)²",
    "n_per_mps": "N/(m/s)",
    "kmh": "km/h",
    "mps2": "m/s²",
    "mps": "m/s",
    "mph": "mph",
    "kwh": "kWh",
    "kw": "kW",
    "nm": "N·m",
    "kg": "kg",
    "km": "km",
    "m2": "m²",
    "ms": "ms",
    "mm": "mm",
    "cny": "CNY",
    "usd": "USD",
    "hkd": "HKD",
    "jph": "jobs/h",
    "h": "h",
    "min": "min",
    "s": "s",
    "w": "W",
    "v": "V",
    "a": "A",
    "n": "N",
    "m": "m",
    "ohm": "Ω",
    "degc": "°C",
    "c": "°C",
    "months": "months",
    "weeks": "weeks",
    "days": "days",
    "years": "years",
    "hours": "h",
    "units": "cars",
    "cars": "cars",
    "operators": "operators",
    "stations": "stations",
    "shares_count": "shares",
    "share": "fraction",
    "fraction": "fraction",
    "rate": "fraction",
    "yield": "fraction",
    "efficiency": "fraction",
    "probability": "fraction",
}


def unit_of(name: str) -> str:
    """Return the unit that a field's name carries, or an empty text for a pure number.

    Parameters
    ----------
    name
        A field name or a dotted path.

    Examples
    --------
    >>> unit_of("vehicle.battery.gross_kwh")
    'kWh'
    >>> unit_of("vehicle.drag_coefficient")
    ''
    """
    last = name.rsplit(".", 1)[-1].split("[", 1)[0]
    words = last.split("_")
    for length in range(min(3, len(words)), 0, -1):
        unit = UNIT_SUFFIXES.get("_".join(words[-length:]))
        if unit is not None:
            return unit
    return ""
