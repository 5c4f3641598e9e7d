"""How often each test of an event study errs, and how often it finds what is there.

    python benchmarks/event_study.py                  # some minutes
    python benchmarks/event_study.py --draws 200

Each draw makes firms of beta 0.5 to 1.5 and a daily error of 1 to 4 % s.d. (the same draws for every effect), fits the
market model over 120 days and tests the mean abnormal return of one day. ``induced`` adds as much variance again on the
event day; ``same day`` gives the firms' errors a correlation of 0.3, as firms of one industry have on one day. A
share's own t (one firm) is the first test; tests that need a spread across firms have no value for one. Tables go to
standard output and, with --write, to benchmarks/results/event-study-<date>.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from coachbuilder.market.announcement.event_study import AbnormalReturns, abnormal_returns, two_sided_p
from coachbuilder.market.announcement.significance import cumulated, significance_of

RESULTS = Path(__file__).parent / "results"
FIRMS = (1, 7, 50)
EFFECTS = (0.0, 0.01, 0.02, 0.03)
KINDS = ("plain", "induced", "same day")
DAYS = 120
LEVEL = 0.05
CORRELATION = 0.3
SEED = 1
OWN_T = "own t"


def drawn(kind: str, firms: int, random: np.random.Generator) -> AbnormalReturns:
    """Return abnormal returns without effect; see the head of this file."""
    market = random.normal(0.0, 0.01, DAYS + 1)
    beta, sd = random.uniform(0.5, 1.5, (firms, 1)), random.uniform(0.01, 0.04, (firms, 1))
    errors = random.normal(size=(firms, DAYS + 1))
    if kind == "same day":
        errors = np.sqrt(1.0 - CORRELATION) * errors + np.sqrt(CORRELATION) * random.normal(size=DAYS + 1)
    if kind == "induced":
        errors[:, DAYS] += random.normal(size=firms)
    returns = beta * market + sd * errors
    return abnormal_returns(returns[:, :DAYS], returns[:, DAYS:], market[:DAYS], market[DAYS:])


def rejections(kind: str, firms: int, draws: int) -> tuple[dict[float, Counter[str]], list[str]]:
    """Return by effect how often each test rejects at 5 %, and the names of the tests that have a value."""
    random = np.random.default_rng([SEED, KINDS.index(kind), firms])
    found: dict[float, Counter[str]] = {effect: Counter() for effect in EFFECTS}
    names: dict[str, None] = {}
    for _ in range(draws):
        without = drawn(kind, firms, random)
        for effect in EFFECTS:
            abnormal = replace(without, event=without.event + effect)
            p_values = {item.test: item.p_value for item in significance_of(abnormal, slice(0, 1))}
            if firms == 1:
                total = cumulated(abnormal, slice(0, 1))
                own_t = float(total.value[0] / total.standard_error[0])
                p_values = {OWN_T: two_sided_p(own_t, int(abnormal.degrees_of_freedom[0])), **p_values}
            for name, p_value in p_values.items():
                if p_value is not None:
                    names[name] = None
                    found[effect][name] += p_value < LEVEL
    return found, list(names)


def table(kind: str, firms: int, draws: int) -> str:
    found, names = rejections(kind, firms, draws)
    heads = ["size", *(f"power at {effect:.0%}" for effect in EFFECTS[1:])]
    lines = [f"\n### {kind}, {firms} firm{'s' if firms > 1 else ''}\n", f"| test | {' | '.join(heads)} |"]
    lines.append(f"|---|{'---|' * len(heads)}")
    for name in names:
        cells = [f"{found[effect][name] / draws:.1%}" for effect in EFFECTS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    told = parser.parse_args()
    started = time.perf_counter()
    today = datetime.date.today().isoformat()
    error = np.sqrt(LEVEL * (1 - LEVEL) / told.draws)
    lines = [
        "# Size and power of the event study's tests",
        f"\n{today}, Python {platform.python_version()}, {os.cpu_count()} cores. `python benchmarks/event_study.py"
        f"{' --draws ' + str(told.draws) if told.draws != 1000 else ''} --write`",
        f"\n{told.draws} draws a table, two-sided tests at 5 %; a size of 5.0 % has a standard error of {error:.1%}. "
        "`plain`: independent firms. `induced`: the event doubles the variance. `same day`: errors correlated by 0.3.",
    ]
    print("\n".join(lines))
    for kind in KINDS:
        for firms in FIRMS:
            if firms == 1 and kind == "same day":
                continue
            lines.append(table(kind, firms, told.draws))
            print(lines[-1], flush=True)
    lines.append(f"\n{time.perf_counter() - started:.0f} s in all.")
    print(lines[-1])
    if told.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"event-study-{today}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
