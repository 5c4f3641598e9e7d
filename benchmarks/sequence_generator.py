"""Hard car sequencing days of 200 to 400 cars in the manner of Gagne and Gravel's, from a seed.

    python benchmarks/sequence_generator.py --cars 200 300 400 --seeds 1 2 3 --out generated

Five options with the usual rules (1/2, 2/3, 1/3, 2/5, 1/5) and 25 classes of which each has at least one of them. The
sizes of the classes are drawn and then raked until each option reaches about nine tenths of what its rule allows (drawn
up to ``SPREAD`` around it), so that options that get into each other's way come together more often on some days than
on others. Written as CSPLib files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from coachbuilder.formats.car_sequencing import HIGH, CarSequencingDay, RatioRule, SequencingFormat
from coachbuilder.plant.sequence.inputs import whole_parts

RULES = ((1, 2), (2, 3), (1, 3), (2, 5), (1, 5))


CLASSES = 25
SPREAD = 0.07
ROUNDS = 200


def hard_day(seed: int, cars: int, utilisation: float = 0.92) -> CarSequencingDay:
    """Draw a day; the cars of a class stand together, as in a CSPLib file."""
    random = np.random.default_rng([seed, cars])
    every = np.array([[number >> option & 1 for option in range(len(RULES))] for number in range(1, 2 ** len(RULES))])
    # Each option alone is among the classes, so that raking has something to turn to.
    alone = np.flatnonzero(every.sum(axis=1) == 1)
    others = random.permutation(np.setdiff1d(np.arange(len(every)), alone))[: CLASSES - len(alone)]
    kinds = every[np.sort(np.concatenate([alone, others]))].astype(bool)
    wanted = np.array([at_most / out_of for at_most, out_of in RULES]) * random.uniform(
        utilisation - SPREAD, utilisation + SPREAD, len(RULES)
    )
    share = random.exponential(size=len(kinds))
    for _ in range(ROUNDS):
        for option in range(len(RULES)):
            share /= share.sum()
            with_it = share[kinds[:, option]].sum()
            share[kinds[:, option]] *= wanted[option] / with_it
            share[~kinds[:, option]] *= (1 - wanted[option]) / (1 - with_it)
    sizes = np.array(whole_parts((share / share.sum()).tolist(), total=cars))
    number = np.repeat(np.arange(len(kinds)), sizes)
    return CarSequencingDay(
        cars=tuple(str(car) for car in range(1, cars + 1)),
        colours=("",) * cars,
        options=tuple(tuple(bool(flag) for flag in kinds[kind]) for kind in number),
        rules=tuple(RatioRule(str(option), *rule, high_priority=True) for option, rule in enumerate(RULES)),
        previous_colours=(),
        previous_options=(),
        objectives=(HIGH,),
        longest_batch=cars,
        short_windows=False,
        source=SequencingFormat.CSPLIB,
        classes=tuple(str(kind) for kind in number),
    )


def csplib_text(day: CarSequencingDay, title: str) -> str:
    """Return a day as the text of a CSPLib file."""
    classes = {
        name: (day.classes.count(name), day.options[day.classes.index(name)]) for name in dict.fromkeys(day.classes)
    }
    lines = [
        f"% {title}",
        f"{len(day.cars)} {len(day.rules)} {len(classes)}",
        " ".join(str(rule.at_most) for rule in day.rules),
        " ".join(str(rule.out_of) for rule in day.rules),
        *(f"{name} {count} " + " ".join(str(int(flag)) for flag in flags) for name, (count, flags) in classes.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cars", type=int, nargs="*", default=[200, 300, 400])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--utilisation", type=float, default=0.92)
    parser.add_argument("--out", type=Path, default=Path("generated"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for cars in options.cars:
        for seed in options.seeds:
            name = f"hard-{cars}-{seed}"
            day = hard_day(seed, cars, options.utilisation)
            (options.out / f"{name}.txt").write_text(csplib_text(day, name))
            print(options.out / f"{name}.txt", f"{len(set(day.classes))} classes")


if __name__ == "__main__":
    main()
