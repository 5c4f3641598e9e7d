"""How figures read: rounding, units, ranges and dates, the same in sentences, tables and pictures."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from coachbuilder.programme.units import UNIT_SUFFIXES, unit_of

if TYPE_CHECKING:
    from coachbuilder.plant.sequence import GuestShareAnswer, OrderLoad

NOTHING = "–"
"""Stands where a result has no figure."""

MINUS = "−"
HARD_SPACE = "\u00a0"

_MONEY_SCALES = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"))
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_SPOKEN = {"1/year": "a year", "1/day": "a day", "1/h": "an hour", "jobs/h": "cars an hour"}
_CURRENCIES = ("CNY", "USD", "HKD", "EUR")


def number(value: float | None, digits: int = 3) -> str:
    """Return a number to ``digits`` significant digits, never in powers of ten between 0.0001 and 10^15.

    Examples
    --------
    >>> number(1234567.0), number(-0.01234), number(None), number(12.0)
    ('1,230,000', '−0.0123', '–', '12')
    """
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    decimals = digits - 1 - magnitude
    rounded = round(value, decimals)
    if rounded == int(rounded) and abs(rounded) < 1e15:
        text = f"{int(rounded):,}"
    elif magnitude < -4:
        text = f"{value:.{digits - 1}e}"
    else:
        text = f"{rounded:,.{max(decimals, 0)}f}"
    return text.replace("-", MINUS)


def whole(value: float | None) -> str:
    """Return a number without decimals.

    Examples
    --------
    >>> whole(12345.6)
    '12,346'
    """
    return NOTHING if value is None else f"{round(value):,}".replace("-", MINUS)


def fixed(value: float | None, decimals: int) -> str:
    """Return a number with a fixed count of decimals, as columns need it.

    Examples
    --------
    >>> fixed(-1.5, 2)
    '−1.50'
    """
    return NOTHING if value is None else f"{value:,.{decimals}f}".replace("-", MINUS)


def percent(value: float | None, decimals: int = 0) -> str:
    r"""Return a fraction as a percentage.

    Examples
    --------
    >>> percent(0.153), percent(-0.0692, 1)
    ('15\xa0%', '−6.9\xa0%')
    """
    return NOTHING if value is None else f"{fixed(100 * value, decimals)}{HARD_SPACE}%"


def probability(value: float | None) -> str:
    r"""Return a probability; certainty is claimed only where it is given.

    Examples
    --------
    >>> probability(0.004), probability(0.996), probability(0.5)
    ('under\xa01\xa0%', 'over\xa099\xa0%', '50\xa0%')
    """
    if value is None:
        return NOTHING
    if 0 < value < 0.01:
        return f"under{HARD_SPACE}{percent(0.01)}"
    if 0.99 < value < 1:
        return f"over{HARD_SPACE}{percent(0.99)}"
    return percent(value)


def money_scale(*values: float | None) -> tuple[float, str]:
    """Return the divisor and its name under which all ``values`` read well.

    Examples
    --------
    >>> money_scale(2.1e9, -3e6)
    (1000000000.0, 'bn')
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    for scale, name in _MONEY_SCALES:
        if largest >= 0.9995 * scale:
            return scale, name
    return 1.0, ""


def _scaled(value: float, scale: float) -> str:
    if scale == 1.0:
        return whole(value)
    shown = value / scale
    return fixed(shown, 2 if abs(shown) < 9.995 else 1 if abs(shown) < 99.95 else 0)


def money(value: float | None, currency: str = "CNY") -> str:
    """Return an amount of money in the scale that suits it.

    Examples
    --------
    >>> money(-1.234e9).replace(HARD_SPACE, " "), money(98765.0).replace(HARD_SPACE, " ")
    ('CNY −1.23 bn', 'CNY 98,765')
    """
    if value is None:
        return NOTHING
    scale, name = money_scale(value)
    return HARD_SPACE.join(part for part in (currency, _scaled(value, scale), name) if part)


def money_range(low: float | None, high: float | None, currency: str = "CNY") -> str:
    """Return a range of money in one scale.

    Examples
    --------
    >>> money_range(-4e8, 4.8e9).replace(HARD_SPACE, " ")
    'CNY −0.40 to 4.80 bn'
    """
    if low is None or high is None:
        return NOTHING
    scale, name = money_scale(low, high)
    text = f"{currency}{HARD_SPACE}{_scaled(low, scale)} to {_scaled(high, scale)}"
    return f"{text}{HARD_SPACE}{name}" if name else text


def with_unit(value: float | None, unit: str, digits: int = 3) -> str:
    r"""Return a number with its unit; fractions read as percentages, money in its scale.

    Examples
    --------
    >>> with_unit(0.82, "fraction"), with_unit(412.3, "km").replace(HARD_SPACE, " ")
    ('82\xa0%', '412 km')
    """
    if value is None:
        return NOTHING
    if unit == "fraction":
        return percent(value, 0 if abs(value) >= 0.1 or value == 0 else 1)
    if unit in _CURRENCIES:
        return money(value, unit)
    first, _, rest = unit.partition(" ")
    if first in _CURRENCIES and rest:
        return f"{money(value, first)} {rest}"
    shown = number(value, max(digits, 5) if first.split("/")[0] in _CURRENCIES else digits)
    unit = _SPOKEN.get(unit, unit)
    return f"{shown}{HARD_SPACE}{unit}" if unit else shown


def range_with_unit(low: float | None, high: float | None, unit: str, digits: int = 3) -> str:
    """Return a range with its unit said once.

    Examples
    --------
    >>> range_with_unit(400.0, 450.0, "km").replace(HARD_SPACE, " ")
    '400 to 450 km'
    >>> range_with_unit(42.0, 43.8, ""), range_with_unit(20.0, 80.0, "")
    ('42.0 to 43.8', '20 to 80')
    """
    if low is None or high is None:
        return NOTHING
    if unit in _CURRENCIES:
        return money_range(low, high, unit)
    first, _, rest = unit.partition(" ")
    if first in _CURRENCIES and rest:
        return f"{money_range(low, high, first)} {rest}"
    if unit == "fraction":
        decimals = 0 if max(abs(low), abs(high)) >= 0.1 else 1
        return f"{fixed(100 * low, decimals)} to {percent(high, decimals)}"
    unit = _SPOKEN.get(unit, unit)
    text = _both_ends(low, high, digits)
    return f"{text}{HARD_SPACE}{unit}" if unit else text


def _both_ends(low: float, high: float, digits: int) -> str:
    """Return both ends with the same decimals where they are of like size, none where neither needs them."""
    small, large = sorted((abs(low), abs(high)))
    decimals = digits - 1 - math.floor(math.log10(large)) if large else 0
    if not 0 < decimals <= 6 or small * 20 < large:
        return f"{number(low, digits)} to {number(high, digits)}"
    while decimals and all(round(end, decimals) == round(end, decimals - 1) for end in (low, high)):
        decimals -= 1
    return f"{fixed(low, decimals)} to {fixed(high, decimals)}"


def figure(name: str, value: float | None) -> str:
    """Return a figure whose name carries its unit.

    Examples
    --------
    >>> figure("range_km", 412.3).replace(HARD_SPACE, " ")
    '412 km'
    """
    return with_unit(value, unit_of(name))


def date(value: dt.date) -> str:
    """Return a date as day, month and year.

    Examples
    --------
    >>> date(dt.date(2021, 3, 26))
    '26 March 2021'
    """
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def short_date(value: dt.date) -> str:
    """Return a date for a table, where it must not break.

    Examples
    --------
    >>> short_date(dt.date(2021, 3, 26)).replace(HARD_SPACE, " ")
    '26 Mar 2021'
    """
    return HARD_SPACE.join((str(value.day), _MONTHS[value.month - 1][:3], str(value.year)))


def open_money_range(low: float | None, high: float | None, currency: str = "CNY") -> str:
    """Return a range of money of which an end may be open.

    Examples
    --------
    >>> open_money_range(2e9, None).replace(HARD_SPACE, " ")
    'from CNY 2.00 bn'
    """
    if low is None and high is None:
        return NOTHING
    if high is None:
        return f"from {money(low, currency)}"
    if low is None:
        return f"up to {money(high, currency)}"
    return money_range(low, high, currency)


_ACRONYMS: Mapping[str, str] = {
    "npv": "NPV",
    "irr": "IRR",
    "jph": "jobs per hour",
    "oee": "OEE",
    "pbs": "painted-body store",
    "epa": "EPA",
    "wltp": "WLTP",
    "cltc": "CLTC",
    "udds": "UDDS",
    "hwfet": "HWFET",
    "dc": "DC",
    "ac": "AC",
    "mtbf": "MTBF",
    "mttr": "MTTR",
    "vat": "VAT",
    "hvac": "HVAC",
}


def label(name: str, *, unit: bool = False) -> str:
    """Return a field's name as words, without the unit that it carries unless asked for.

    Examples
    --------
    >>> label("brand_npv_cny"), label("peak_power_kw", unit=True)
    ('Brand NPV', 'Peak power (kW)')
    """
    last = name.rsplit(".", 1)[-1]
    words = re.sub(r"\[.*\]$", "", last).split("_")
    of_name = ""
    for length in range(min(3, len(words) - 1), 0, -1):
        of_name = UNIT_SUFFIXES.get("_".join(words[-length:]), "")
        if of_name:
            words = words if of_name == "fraction" else words[:-length]
            break
    text = " ".join(_ACRONYMS.get(word, word) for word in words)
    text = text[:1].upper() + text[1:]
    return f"{text} ({of_name})" if unit and of_name and of_name != "fraction" else text


_FIGURE_NAMES: Mapping[str, str] = {
    "months_to_start": "Months to the start of production",
    "peak_demand_units_per_year": "Demand in the best year",
    "guest_capacity_units_per_year": "Guest cars that the plant can build",
    "guest_units_per_year": "Guest cars built",
    "plant_jph": "Rate of the plant",
    "jph": "Rate of the plant",
    "jph_ci95": "Its 95 % interval, ±",
    "planned_jph": "Rate that is planned",
    "resident_units_lost_per_year": "Host's own cars lost",
    "weeks_to_rate_weeks": "Weeks to nine tenths of the planned rate",
    "weeks_to_rate": "Weeks to nine tenths of the planned rate",
    "zero_to_100_s": "0–100 km/h",
    "zero_to_60_mph_s": "0–60 mph",
    "eighty_to_120_s": "80–120 km/h",
    "launch_grade": "Steepest grade that it starts on",
    "range_in_use_km": "Range on the customers' roads",
    "charge_10_80_min": "Charging 10–80 %",
    "charge_peak_kw": "Charging, largest power",
    "ac_charge_h": "Charging from the wall",
    "mass_per_kwh_kg": "Mass that one more kWh brings",
    "gross_kwh": "Battery, all cells",
    "usable_kwh": "Battery, usable",
    "wltp_kwh_per_100km": "WLTP consumption from the wall",
    "epa_label_kwh_per_100km": "EPA consumption from the wall",
    "cltc_kwh_per_100km": "CLTC consumption from the wall",
}
"""Names of figures that their fields' names do not give well."""


def figure_name(name: str) -> str:
    """Return what a figure of the plan is called.

    Examples
    --------
    >>> figure_name("zero_to_100_s"), figure_name("brand_npv_cny")
    ('0–100 km/h', 'Brand NPV')
    """
    return _FIGURE_NAMES.get(name) or label(name)


def overload(load: OrderLoad) -> str:
    """Return the work overload of a build order in words."""
    return (
        f"{fixed(load.overload_s_per_car, 1)} s a car, {fixed(load.utility_workers, 2)} utility workers in the mean; "
        f"up to {plural(load.utility_workers_peak, 'operator')} to be helped in one takt"
    )


def utility_workers(count: float) -> str:
    """Return a number of utility workers, which need not be whole.

    Examples
    --------
    >>> utility_workers(0.0), utility_workers(1.0), utility_workers(2.5)
    ('no utility worker', '1 utility worker', '2.5 utility workers')
    """
    if count == 0:
        return "no utility worker"
    return f"{count:g} utility worker{'' if count == 1 else 's'}"


def overload_question(answer: GuestShareAnswer) -> str:
    """Return for which borders and how many utility workers an answer on the guest's share holds."""
    return f"Borders {answer.borders}, {utility_workers(answer.utility_workers)}"


def overload_answer(answer: GuestShareAnswer, cars_per_day: int) -> str:
    """Return from which share of guest cars on the line overloads, in words."""
    if answer.free_to_cars is None:
        least = f"{fixed(answer.least_overload_s_per_car, 1)} s a car at {percent(answer.least_share)} guests"
        return f"overloads at any share of guests, least with {least}"
    below = f"below {percent(answer.free_from_share)}" if answer.free_from_cars else ""
    if answer.first_share is None:
        return f"overloads {below} guests only" if below else "does not overload, however many guests"
    cars = f"{whole(answer.first_cars)} of {whole(cars_per_day)} cars a day"
    text = f"overloads from {percent(answer.first_share)} guests on ({cars})"
    if below:
        text += f" and {below}"
    if answer.unavoidable_share is not None:
        text += f"; in every order from {percent(answer.unavoidable_share)} on"
    return text


def typeset(sentence: str) -> str:
    """Return a sentence of a stage with true minus signs and dates as one says them.

    Examples
    --------
    >>> typeset("It is worth CNY -5.8 bn on 2021-03-26.")
    'It is worth CNY −5.8 bn on 26 March 2021.'
    """
    return re.sub(r"(?<![\w.])-(?=\d)", MINUS, re.sub(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])", _spoken_date, sentence))


def _spoken_date(found: re.Match[str]) -> str:
    try:
        return date(dt.date.fromisoformat(found.group()))
    except ValueError:
        return found.group()


def measured(value: float | None) -> str:
    """Return a figure whose unit stands elsewhere: three digits, or all whole ones.

    Examples
    --------
    >>> measured(9.0751), measured(106075.6)
    ('9.08', '106,076')
    """
    return number(value) if value is None or abs(value) < 1000 else whole(value)


def path_label(path: str) -> str:
    """Return the path of an assumption as words.

    Examples
    --------
    >>> path_label("vehicle.battery.pack_cny_per_kwh")
    'vehicle · battery · pack'
    """
    *tables, last = path.split(".")
    return " · ".join([*(table.replace("_", " ") for table in tables), _lowered(label(last))])


def _lowered(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def roots(shares: tuple[float, ...]) -> str:
    """Return internal rates of return, all of them.

    Examples
    --------
    >>> roots((0.1, 0.4)).replace(HARD_SPACE, " "), roots(())
    ('10 % and 40 %', 'none')
    """
    texts = [percent(share, 0 if abs(share) >= 0.1 else 1) for share in shares]
    return " and ".join(texts) if texts else "none"


def plural(count: int, one: str, many: str = "") -> str:
    r"""Return a count with its noun.

    Examples
    --------
    >>> plural(1, "task"), plural(1200, "task")
    ('1\xa0task', '1,200\xa0tasks')
    """
    return f"{count:,}{HARD_SPACE}{one if count == 1 else many or one + 's'}"
