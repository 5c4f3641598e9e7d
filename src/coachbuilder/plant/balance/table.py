"""Labour on the line for any number of guest cars and any of their work times, between balances that were made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineTable:
    """Busy share of the line's operators at a grid of balances.

    Parameters
    ----------
    guest_units_per_year
        Guest cars a year of the balances, ascending.
    guest_time_scale
        Factors on the guest's work times, ascending.
    busy_share
        1 less the idle share, by guest cars (rows) and factor (columns).
    hours_error_share
        Largest error of interpolated hours a car at a balance that was left out, as a share of those hours.
    """

    guest_units_per_year: tuple[float, ...]
    guest_time_scale: tuple[float, ...]
    busy_share: tuple[tuple[float, ...], ...]
    hours_error_share: float

    def busy_share_at(self, guest_units_per_year: float, guest_time_scale: float) -> float:
        """Return the busy share between the balances, at the nearest ones outside the grid.

        Parameters
        ----------
        guest_units_per_year
            Guest cars a year.
        guest_time_scale
            Factor on the guest's work times.

        Examples
        --------
        >>> table = LineTable((1e4, 3e4), (1.0, 1.2), ((0.8, 0.9), (0.9, 1.0)), 0.0)
        >>> round(table.busy_share_at(2e4, 1.1), 9), table.busy_share_at(9e4, 1.2)
        (0.9, 1.0)
        """
        row, down = _place(self.guest_units_per_year, guest_units_per_year)
        column, across = _place(self.guest_time_scale, guest_time_scale)
        upper, lower = self.busy_share[row], self.busy_share[row + 1]
        return (1 - down) * ((1 - across) * upper[column] + across * upper[column + 1]) + down * (
            (1 - across) * lower[column] + across * lower[column + 1]
        )

    def with_error(self) -> LineTable:
        """Return this table with its error: each balance between two others, left out and interpolated from them."""
        errors = [0.0]
        for at, shares in (
            *((self.guest_units_per_year, column) for column in zip(*self.busy_share, strict=True)),
            *((self.guest_time_scale, row) for row in self.busy_share),
        ):
            for place in range(1, len(at) - 1):
                share = (at[place] - at[place - 1]) / (at[place + 1] - at[place - 1])
                between = (1 - share) * shares[place - 1] + share * shares[place + 1]
                # Hours a car go with 1 / busy share.
                errors.append(abs(shares[place] / between - 1.0))
        return LineTable(self.guest_units_per_year, self.guest_time_scale, self.busy_share, max(errors))


def _place(nodes: tuple[float, ...], value: float) -> tuple[int, float]:
    """Return the interval of ascending nodes in which a value lies, and how far into it, within the ends."""
    last = len(nodes) - 2
    row = max((number for number in range(last + 1) if nodes[number] <= value), default=0)
    share = (value - nodes[row]) / (nodes[row + 1] - nodes[row])
    return row, min(max(share, 0.0), 1.0)
