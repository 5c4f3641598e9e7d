"""The pack: open-circuit voltage and resistance over the state of charge, by chemistry, wiring and temperature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from coachbuilder.programme.sections.vehicle import Chemistry

STATES_OF_CHARGE = 33
"""Nodes from empty to full at which voltage and resistance are given; straight lines lie between them."""

REFERENCE_TEMPERATURE_C = 25.0
_GAS_CONSTANT_J_PER_MOL_K = 8.314462618
_ACTIVATION_J_PER_MOL = 20_000.0
"""Of a cell's resistance; measured ones are about 15 to 30 kJ/mol (Waag, Kaebitz, Sauer, Applied Energy 102, 2013)."""
_COLDEST_FACTOR = 12.0

_RESISTANCE_AT = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
_RESISTANCE_SHARE = (2.2, 1.7, 1.4, 1.15, 1.05, 1.0, 1.0, 1.05)
"""Resistance over that at half charge: the rise near empty that pulse tests find with every chemistry (same source)."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as the kernels see it."""

    chemistry: Chemistry
    """Cathode of the cells."""
    series_cells: int
    """Cells in series."""
    charge_ah: float
    """Charge from full to empty."""
    open_circuit_voltage_v: NDArray[np.float64]
    """Over the state of charge, shape (STATES_OF_CHARGE,)."""
    resistance_ohm: NDArray[np.float64]
    """Over the state of charge, at the temperature asked for, shape (STATES_OF_CHARGE,)."""
    lowest_v: float
    """Smallest voltage at the terminals."""
    highest_v: float
    """Largest voltage at the terminals."""

    def voltage_v(self, state_of_charge: float) -> float:
        """Open-circuit voltage at a state of charge."""
        return float(np.interp(state_of_charge, _nodes(), self.open_circuit_voltage_v))

    def resistance(self, state_of_charge: float) -> float:
        """Resistance, ohm, at a state of charge."""
        return float(np.interp(state_of_charge, _nodes(), self.resistance_ohm))


@cache
def _nodes() -> NDArray[np.float64]:
    return _constant(np.linspace(0.0, 1.0, STATES_OF_CHARGE))


def _constant(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an array that may be handed out again and again: nobody can write to it."""
    values.flags.writeable = False
    return values


def _graphite_v(filling: NDArray[np.float64]) -> NDArray[np.float64]:
    """Potential of a graphite-silicon anode over its filling (Chen et al. 2020, equation 9)."""
    return (
        1.9793 * np.exp(-39.3631 * filling)
        + 0.2482
        - 0.0909 * np.tanh(29.8538 * (filling - 0.1234))
        - 0.04478 * np.tanh(14.9159 * (filling - 0.2769))
        - 0.0205 * np.tanh(30.4444 * (filling - 0.6103))
    )


def _nmc_v(filling: NDArray[np.float64]) -> NDArray[np.float64]:
    """Potential of an NMC 811 cathode over its filling (Chen et al. 2020, equation 8)."""
    return (
        -0.8090 * filling
        + 4.4875
        - 0.0428 * np.tanh(18.5138 * (filling - 0.5542))
        - 17.7326 * np.tanh(15.7890 * (filling - 0.3117))
        + 17.5842 * np.tanh(15.9308 * (filling - 0.3120))
    )


def _lfp_v(filling: NDArray[np.float64]) -> NDArray[np.float64]:
    """Potential of an LFP cathode over its filling (Afshar, Morris, Khajepour 2017, after Prada et al. 2013)."""
    return 3.4077 - 0.020269 * filling + 0.5 * np.exp(-150.0 * filling) - 0.9 * np.exp(-30.0 * (1.0 - filling))


_Potential = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Cathode potential; filling of cathode and anode, each at empty and at full.
_CELLS: dict[Chemistry, tuple[_Potential, tuple[float, float], tuple[float, float]]] = {
    Chemistry.NMC: (_nmc_v, (0.9084, 0.2661), (0.0279, 0.9014)),
    Chemistry.LFP: (_lfp_v, (0.88, 0.02), (0.05, 0.82)),
}


@cache
def cell_voltage_v(chemistry: Chemistry) -> NDArray[np.float64]:
    """Return a cell's open-circuit voltage at equally spaced states of charge from 0 to 1.

    The difference of the electrodes' potentials between their fillings at empty and full. NMC: Chen et al.,
    J. Electrochem. Soc. 167 (2020) 080534, a 5 Ah cell, its own limits. LFP: cathode of Afshar, Morris and Khajepour
    (arXiv:1709.03970) on the same graphite, with fillings that give about 2.7 V at empty and 3.3 V at full.

    Parameters
    ----------
    chemistry
        Cathode of the cells.

    Returns
    -------
    numpy.ndarray
        Volts, shape (STATES_OF_CHARGE,).

    Examples
    --------
    >>> [round(float(cell_voltage_v(Chemistry.NMC)[i]), 2) for i in (0, 16, 32)]
    [2.5, 3.71, 4.19]
    """
    potential, (cathode_empty, cathode_full), (anode_empty, anode_full) = _CELLS[chemistry]
    soc = _nodes()
    return _constant(
        potential(cathode_empty + soc * (cathode_full - cathode_empty))
        - _graphite_v(anode_empty + soc * (anode_full - anode_empty))
    )


def temperature_factor(temperature_c: float) -> float:
    """Return a pack's resistance over that at 25 °C, by Arrhenius' law with an activation energy of 20 kJ/mol.

    Examples
    --------
    >>> temperature_factor(25.0), round(temperature_factor(-7.0), 2)
    (1.0, 2.64)
    """
    inverse = 1.0 / (temperature_c + 273.15) - 1.0 / (REFERENCE_TEMPERATURE_C + 273.15)
    return min(_COLDEST_FACTOR, math.exp(_ACTIVATION_J_PER_MOL / _GAS_CONSTANT_J_PER_MOL_K * inverse))


@cache
def _resistance_share() -> NDArray[np.float64]:
    return _constant(np.interp(_nodes(), _RESISTANCE_AT, _RESISTANCE_SHARE))


def pack_of(
    chemistry: Chemistry,
    *,
    gross_kwh: float,
    series_cells: float,
    parallel_cells: float,
    cell_resistance_ohm: float,
    cell_lowest_v: float,
    cell_highest_v: float,
    temperature_c: float = REFERENCE_TEMPERATURE_C,
) -> Pack:
    """Return a pack of cells in series and parallel.

    Parameters
    ----------
    chemistry
        Cathode of the cells.
    gross_kwh
        Energy of all cells from full to empty; with the open-circuit voltage it gives their charge.
    series_cells, parallel_cells
        Wiring.
    cell_resistance_ohm
        Of one cell at half charge and 25 °C, its share of connectors and fuses with it.
    cell_lowest_v, cell_highest_v
        Limits of one cell's voltage under load.
    temperature_c
        Of the cells.

    Examples
    --------
    >>> pack = pack_of(Chemistry.NMC, gross_kwh=60, series_cells=96, parallel_cells=2, cell_resistance_ohm=1.5e-3,
    ...                cell_lowest_v=2.8, cell_highest_v=4.25)
    >>> round(pack.voltage_v(0.5)), round(pack.charge_ah)
    (355, 169)
    """
    cell_v = cell_voltage_v(chemistry)
    mean_v = float(np.mean(0.5 * (cell_v[1:] + cell_v[:-1]))) * series_cells
    resistance = cell_resistance_ohm * series_cells / parallel_cells * temperature_factor(temperature_c)
    return Pack(
        chemistry=chemistry,
        series_cells=round(series_cells),
        charge_ah=1000.0 * gross_kwh / mean_v,
        open_circuit_voltage_v=cell_v * series_cells,
        resistance_ohm=_resistance_share() * resistance,
        lowest_v=cell_lowest_v * series_cells,
        highest_v=cell_highest_v * series_cells,
    )
