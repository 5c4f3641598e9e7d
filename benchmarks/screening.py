"""Screening 10,000 suppliers against 20,000 entries on one core, on generated names; run by hand.

Some suppliers are entries written in another way: they must be found. ``python benchmarks/screening.py``
"""

from __future__ import annotations

import argparse
import random
import resource
import time

from coachbuilder.formats.screening_lists import ListedParty, ScreenedParty
from coachbuilder.market.parties.screening import screen
from coachbuilder.market.parties.screening.match import COMMON_WORDS

SYLLABLES = """
ba be bo chang cheng da dong fu gao guang hai heng hua jia jin ka kang ko li long mei min nan ning no pan ping qi ra ri
rong sa shan shen si ta tai tong ver vo wan wei xin yang yi yu zhen zhong zhou
"""
FORMS = ("Co., Ltd.", "Limited", "Corporation", "GmbH", "LLC", "JSC", "S.A.", "Inc.", "")


def _rare(random_words: random.Random) -> str:
    return "".join(random_words.choices(SYLLABLES.split(), k=random_words.choice((2, 3, 4, 4)))).capitalize()


def _name(words: random.Random, common: list[str], weights: list[float]) -> str:
    rare = [_rare(words) for _ in range(words.choice((1, 1, 1, 2)))]
    trade = [word.capitalize() for word in words.choices(common, weights, k=words.choice((0, 1, 2, 2, 3)))]
    return " ".join([*rare, *trade, words.choice(FORMS)]).strip()


def _otherwise(name: str, words: random.Random) -> str:
    """Return a name with a typing error, another order or another legal form."""
    parts = name.split()
    kind = words.choice(("typo", "order", "form"))
    if kind == "typo":
        place = words.randrange(1, len(parts[0]))
        parts[0] = parts[0][:place] + words.choice("aeiou") + parts[0][place + 1 :]
    elif kind == "order" and len(parts) > 2:
        parts[0], parts[1] = parts[1], parts[0]
    return " ".join([*parts, "Ltd"])


def main() -> None:
    """Generate, screen, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suppliers", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    words = random.Random(told.seed)
    common = sorted(COMMON_WORDS)
    weights = [1 / (rank + 1) for rank in range(len(common))]
    listed = [
        ListedParty(
            "generated", "A list", str(number), _name(words, common, weights),
            tuple(_name(words, common, weights) for _ in range(words.choice((0, 1, 2, 4)))),
            "Entity", ("CN",), (), None, None, "", "list.csv", number + 2,
        )
        for number in range(told.entries)
    ]  # fmt: skip
    planted = {}
    suppliers = []
    for number in range(told.suppliers):
        name = _name(words, common, weights)
        if number % 100 == 0:
            entry = words.choice(listed)
            name = _otherwise(entry.name, words)
            planted[number + 2] = entry.id
        suppliers.append(ScreenedParty("", name, "cn", (), (), number + 2))
    started, core = time.perf_counter(), time.process_time()
    result = screen(suppliers, listed)
    wall, cpu = time.perf_counter() - started, time.process_time() - core
    found = {(item.supplier_line, item.entry_id) for item in result.hits}
    recall = sum(pair in found for pair in planted.items()) / len(planted)
    names = sum(1 + len(item.aliases) for item in listed)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{told.suppliers} suppliers, {told.entries} entries with {names} names: {wall:.1f} s, {cpu:.1f} s of CPU")
    print(f"{memory:.0f} MiB; {len(result.hits)} hits, {len(result.near_misses)} near misses told, "
          f"{result.near_misses_left_out} more; {recall:.0%} of {len(planted)} planted suppliers found")  # fmt: skip


if __name__ == "__main__":
    main()
