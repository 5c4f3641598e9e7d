"""Losses from the wheels to the wall of cars of which only road load, mass and layout are known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from coachbuilder.programme.sections.vehicle import DrivenAxle

EUROPEAN_MAKES = frozenset(
    {
        "alfa romeo", "alpine", "aston martin", "audi", "bentley", "bmw", "citroen", "cupra", "dacia", "ds", "ferrari",
        "fiat", "jaguar", "lamborghini", "lancia", "land rover", "lotus", "maserati", "mclaren", "mercedes",
        "mercedes-benz", "mini", "opel", "peugeot", "polestar", "porsche", "renault", "rimac", "rolls-royce", "seat",
        "skoda", "smart", "vauxhall", "volkswagen", "volvo", "vw",
    }
)  # fmt: skip
"""Makes whose cars are developed in Europe."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost between the wheels and the wall."""

    drive_efficiency: float
    """Gear, motor and inverter together, apart from the winding loss below."""
    copper_w_per_n2: float
    """Winding loss over the square of the force at the wheels."""
    drag_in_drive_n: float
    """Drag at the wheels of the energised drive that the coast-down in neutral does not show."""
    accessory_w: float
    """Electric load beside driving in the test."""
    regeneration_share: float
    """Share of braking at the wheels that the drive takes over."""
    ac_efficiency: float
    """Energy into the cells over energy from the wall."""


@dataclass(frozen=True, slots=True)
class Constants:
    """What the fit to measured cars found; kept in typical_losses.json beside this module."""

    drive_efficiency: float
    """Of every car."""
    copper_w_per_n2: float
    """Of every car."""
    european_drag_n: float
    """Drag in drive of cars of European makes."""
    all_wheel_drag_n: float
    """Drag in drive of all-wheel drive."""
    geared_regeneration_loss: float
    """Share of braking that cars with more than one speed take over less."""
    accessory_w: float
    """Of every car."""
    regeneration_share: float
    """Of every car with one speed."""
    ac_efficiency: float
    """Of every car."""
    unseen_log_width: float
    """Half the 80 % interval of the logarithm of the energy of a car of a make never seen."""
    sibling_log_width: float
    """The same where one car of its kin was measured."""
    fitted_on: str
    """Cars, file and date of the fit."""


@cache
def constants() -> Constants:
    """Return what the fit found."""
    file = resources.files("coachbuilder.vehicle") / "typical_losses.json"
    return Constants(**json.loads(file.read_text(encoding="utf-8")))


def typical_losses(
    *,
    driven_axle: DrivenAxle = DrivenAxle.FRONT,
    gears: int = 1,
    make: str | None = None,
    fitted: Constants | None = None,
) -> Losses:
    """Return the losses of a typical car of model year 2022.

    The figures come from ``benchmarks/fit_vehicle_losses.py``: a robust least-squares fit, each make weighted alike,
    of the vehicle model to the electric cars of half the makes in EPA's 2022 test-car list. Spin losses of motors that
    cannot be uncoupled do not appear: a coast-down shows them as road load. Three differences between cars show in the
    tests at equal road load and mass: all-wheel drive takes a little more, a gearbox with two speeds gives less braking
    energy back (one make only has them), and cars of European makes take more at every speed, as from a drag that the
    coast-down does not show. For the last the tests give no cause, be it drive or test practice.

    Parameters
    ----------
    driven_axle
        Front, rear or all.
    gears
        Speeds of the gearbox.
    make
        The car's make; without it neither European nor other: the mean.
    fitted
        Other constants than those that the fit found.

    Examples
    --------
    >>> typical_losses(make="Polestar").drag_in_drive_n > typical_losses(make="Tesla").drag_in_drive_n
    True
    """
    found = fitted or constants()
    european = 0.5 if make is None else float(is_european(make))
    drag_n = found.european_drag_n * european
    if driven_axle is DrivenAxle.ALL:
        drag_n += found.all_wheel_drag_n
    return Losses(
        drive_efficiency=found.drive_efficiency,
        copper_w_per_n2=found.copper_w_per_n2,
        drag_in_drive_n=drag_n,
        accessory_w=found.accessory_w,
        regeneration_share=found.regeneration_share - (found.geared_regeneration_loss if gears > 1 else 0.0),
        ac_efficiency=found.ac_efficiency,
    )


def is_european(make: str) -> bool:
    """Tell whether a make's cars are developed in Europe; upper case and what follows the make do not matter.

    Examples
    --------
    >>> is_european("Mercedes-Benz"), is_european("Polestar2 Dual Motor"), is_european("NISSAN")
    (True, True, False)
    """
    name = " ".join(make.lower().split()).rstrip("0123456789 ")
    words = name.split(" ")
    starts = {" ".join(words[:count]).rstrip("0123456789") for count in (1, 2)} | {name}
    return not starts.isdisjoint(EUROPEAN_MAKES)
