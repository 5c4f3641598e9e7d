"""Screens suppliers against listed parties: words weighed by how rare they are, differences counted against.

A set of words that two names share says little where the words are common, and a score that forgives what is left
over gives 100 to two firms that share 'Great Wall'. Here each word has a weight,

    w = log((n + 50) / (d + 1))

of n entries in the list, d of them with the word (inverse document frequency; the 50 keeps short lists from
extremes). Words of trade and place, and those that many unrelated firms take for a name, are held down to a share of
the largest weight, however rare they are in a list; words such as 'group' further. With m the weight of the words
that agree and a and b that of all words on either side, the names' agreement is

    (2m / (a + b) + 2 m / min(a, b)) / 3

a third Dice coefficient and two thirds coverage, for names are shortened. In the score the coverage counts r times: r
is the weight of the rarest word that agrees over that of the rarest one left over, at most 1, so that a name is no
shorter form of another whose rarest word it lacks; and 0 where common words alone agree and others are left over.
Where words are left over on both sides the names contradict each other, and the score is further multiplied by

    1 - 2 min(a', b') / (a + b)

with a' and b' the weights left over. A word left over on one side alone costs nothing more. The numbers of these
formulas are judgement, set on the labelled pairs of the tests; a second set of pairs, written afterwards, says what
they are worth.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coachbuilder.market.parties.screening.interface import Agreement, Match, ScreeningResult, WordPair
from coachbuilder.market.parties.screening.names import WEAK_WORDS, NameForm, country_code, forms_of, joined, same_word
from coachbuilder.programme.errors import InputError, Problem

if TYPE_CHECKING:
    from coachbuilder.formats.screening_lists import ListedParty, ScreenedParty

THRESHOLD = 0.85
"""Score from which a match is a hit."""

NEAR_THRESHOLD = 0.6
"""Agreement from which a match is a near miss."""

MOST_NEAR_MISSES = 5
"""Near misses told of a supplier, the best ones."""

_SHARED_WORDS = """
technology technological industry industrial international trading trade import export electronic electric engineering
development science scientific motor motors auto automotive automobile vehicle car parts component machinery machine
equipment system power energy battery steel metal material chemical plastic rubber glass paper textile optical
instrument precision tool manufacturing manufacture factory plant works production product company enterprise business
commercial general national global world united new first research institute design service solution logistics
transport shipping aviation aerospace marine construction building investment capital finance management consulting
information communication network software computer digital data security semiconductor micro high east west north
south eastern western northern southern central great china chinese shanghai beijing shenzhen guangzhou guangdong
tianjin jiangsu zhejiang shandong hebei sichuan wuhan nanjing hangzhou suzhou chengdu chongqing dalian qingdao xiamen
ningbo hong kong taiwan japan korea india russia russian iran moscow dubai europe european asia america american
german germany deutsche star sun ocean sea river lake mountain forest eagle dragon lion tiger phoenix golden silver
red blue flag wall gate bridge orient oriental pacific atlantic dawn victory peace harmony unity union progress
pioneer future hope apollo atlas titan alpha delta omega sigma changcheng dongfang huaxia zhonghua xinhua
"""

COMMON_WORDS = frozenset(same_word(word) for word in _SHARED_WORDS.split())
"""Words that many unrelated firms share; weighed down even where a short list has few of them."""

_COMMON_SHARE, _WEAK_SHARE = 0.4, 0.1
"""Shares of the largest weight that these words, and words such as 'group', can have at most."""

_TELLING_SHARE = 0.7
"""Share of the largest weight that has to agree in a near miss: one rare word, or two common ones."""

_SMOOTHING = 50
_ESTABLISHED = 5
"""A word that so many entries have is no misspelling of another one."""

_SHORTEST_FUZZY = 4
_SIMILAR = 0.88
"""Jaro-Winkler similarity from which two words of few edits are taken for one."""

_CHUNK_FORMS = 256
_SHORTEST_IDENTIFIER = 5

Progress = Callable[[int, int], None]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Names:
    """All name forms of one side."""

    forms: tuple[NameForm, ...]
    owners: tuple[int, ...]
    """Index of the party of each form."""

    @classmethod
    def of(cls, parties: Iterable[ScreenedParty | ListedParty]) -> _Names:
        pairs = [(form, index) for index, item in enumerate(parties) for form in forms_of(item.name, item.aliases)]
        return cls(tuple(form for form, _ in pairs), tuple(index for _, index in pairs))

    def with_joined(self, known: frozenset[str]) -> _Names:
        """Return the forms with those added in which neighbours are written together as the other side does."""
        more = [
            (NameForm(form.text, form.is_alias, words), owner)
            for form, owner in zip(self.forms, self.owners, strict=True)
            if (words := joined(form.words, known)) is not None
        ]
        return _Names((*self.forms, *(form for form, _ in more)), (*self.owners, *(owner for _, owner in more)))

    @property
    def words(self) -> frozenset[str]:
        return frozenset(word for form in self.forms for word in form.words)


class _Weights:
    """How rare each word is in the list."""

    def __init__(self, names: _Names, entries: int) -> None:
        owners: dict[str, set[int]] = defaultdict(set)
        for form, owner in zip(names.forms, names.owners, strict=True):
            for word in form.words:
                owners[word].add(owner)
        self.entries_with = {word: len(found) for word, found in owners.items()}
        self.place = {word: place for place, word in enumerate(self.entries_with)}
        self._entries = entries
        self._largest = math.log(entries + _SMOOTHING)
        self._weights: dict[str, float] = {}

    def __getitem__(self, word: str) -> float:
        known = self._weights.get(word)
        if known is None:
            known = math.log((self._entries + _SMOOTHING) / (self.entries_with.get(word, 0) + 1))
            if word in WEAK_WORDS:
                known = min(known, _WEAK_SHARE * self._largest)
            elif word in COMMON_WORDS:
                known = min(known, _COMMON_SHARE * self._largest)
            self._weights[word] = known
        return known

    def is_established(self, word: str) -> bool:
        """Return whether a word is no misspelling: many entries have it, or it is a word of trade."""
        return word in COMMON_WORDS or self.entries_with.get(word, 0) >= _ESTABLISHED

    def has_rare(self, agree: Iterable[WordPair]) -> bool:
        """Return whether a word agrees that is rarer than common words may be."""
        return any(self[pair.listed] > _COMMON_SHARE * self._largest for pair in agree)

    def is_telling(self, matched: float) -> bool:
        """Return whether so much weight agrees that a human should look."""
        return matched > _TELLING_SHARE * self._largest

    def of(self, words: Iterable[str]) -> float:
        return sum(self[word] for word in words)


Neighbours = Mapping[str, Mapping[str, float]]
"""Words of the list that a supplier's word may be a spelling of, with their similarity."""


@dataclass(frozen=True, slots=True)
class _Scored:
    """A pair of names, scored."""

    own: NameForm
    other: NameForm
    score: float
    agreement: float
    matched: float
    agree: tuple[WordPair, ...]
    own_only: tuple[str, ...]
    other_only: tuple[str, ...]

    @property
    def rank(self) -> tuple[float, float, bool, bool]:
        return (self.score, self.agreement, not self.own.is_alias, not self.other.is_alias)


def screen(
    suppliers: Sequence[ScreenedParty],
    listed: Sequence[ListedParty],
    *,
    as_of: dt.date | None = None,
    threshold: float = THRESHOLD,
    near_threshold: float = NEAR_THRESHOLD,
    file: str = "suppliers.csv",
    progress: Progress | None = None,
) -> ScreeningResult:
    """Return the entries of lists that each supplier may be.

    Every pair of names that shares a word, or a word up to a typing error or two, is looked at: none is passed over
    for speed.

    Parameters
    ----------
    suppliers, listed
        Both sides.
    as_of
        Leaves out entries that the list says begin later or have ended before.
    threshold
        Score from which a match is a hit, 0 to 1.
    near_threshold
        Agreement from which it is a near miss, 0 to 1.
    file
        The suppliers' file, for messages.
    progress
        Told how many names of suppliers are done, and of how many.

    Raises
    ------
    InputError
        If no name of a supplier has a letter or a digit.
    """
    in_force = [item for item in listed if _in_force(item, as_of)]
    mine, theirs = _Names.of(suppliers), _Names.of(in_force)
    named = set(mine.owners)
    nameless = [item for index, item in enumerate(suppliers) if index not in named]
    if nameless:
        expected = "a name with letters or digits"
        raise InputError([Problem(file, "name", item.name, expected, line=item.line) for item in nameless])
    with_name = len(set(theirs.owners))
    mine, theirs = mine.with_joined(theirs.words), theirs.with_joined(mine.words)
    weights = _Weights(theirs, len(in_force))
    neighbours = _neighbours(mine.words, weights)
    best: dict[tuple[int, int], _Scored] = {}
    for own, other in _candidates(mine, theirs, weights, neighbours, min(near_threshold, threshold), progress):
        scored = _score(mine.forms[own], theirs.forms[other], weights, neighbours)
        key = mine.owners[own], theirs.owners[other]
        told = scored.score >= threshold or (scored.agreement >= near_threshold and weights.is_telling(scored.matched))
        if told and (key not in best or scored.rank > best[key].rank):
            best[key] = scored
    shared = _shared_identifiers(suppliers, in_force)
    for own, other in shared.keys() - best.keys():
        pairs = ((forms_of(suppliers[own].name)), forms_of(in_force[other].name))
        one, two = (forms[0] if forms else NameForm("", False, ()) for forms in pairs)
        best[own, other] = _score(one, two, weights, neighbours)
    matches = sorted(
        (
            _match(suppliers[own], in_force[other], scored, shared.get((own, other), ()), threshold)
            for (own, other), scored in best.items()
        ),
        key=lambda item: (item.supplier_line, -item.score, item.list_file, item.list_line),
    )
    near, left_out = _fewest([item for item in matches if not _is_hit(item)])
    return ScreeningResult(
        as_of=as_of,
        threshold=threshold,
        near_threshold=near_threshold,
        suppliers=len(suppliers),
        entries=with_name,
        entries_not_in_force=len(listed) - len(in_force),
        entries_without_name=len(in_force) - with_name,
        hits=tuple(item for item in matches if _is_hit(item)),
        near_misses=near,
        near_misses_left_out=left_out,
        repeated_suppliers=_repeated(suppliers),
    )


def _is_hit(item: Match) -> bool:
    return item.score >= item.threshold or bool(item.identifiers)


def _in_force(item: ListedParty, as_of: dt.date | None) -> bool:
    if as_of is None:
        return True
    return (item.start_date is None or item.start_date <= as_of) and (item.end_date is None or as_of <= item.end_date)


def _most_edits(length: int) -> int:
    """Return the edits up to which a word of so many letters may be the same as another."""
    return 0 if length < _SHORTEST_FUZZY else 1 if length < 10 else 2


def _neighbours(words: Iterable[str], weights: _Weights) -> Neighbours:
    """Return for each word that the list has in few entries or in none the words of the list a few edits away."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA, JaroWinkler

    by_length: dict[int, list[str]] = defaultdict(list)
    for word in weights.entries_with:
        if len(word) >= _SHORTEST_FUZZY:
            by_length[len(word)].append(word)
    asked: dict[int, list[str]] = defaultdict(list)
    for word in words:
        if len(word) >= _SHORTEST_FUZZY:
            asked[len(word)].append(word)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for length, group in sorted(asked.items()):
        edits = _most_edits(length)
        choices = [word for near in range(length - edits, length + edits + 1) for word in by_length.get(near, ())]
        if not choices:
            continue
        for first in range(0, len(group), _CHUNK_FORMS):
            some = group[first : first + _CHUNK_FORMS]
            distances = process.cdist(some, choices, scorer=OSA.distance, score_cutoff=edits, dtype=np.uint8)
            for row, column in np.argwhere(distances <= edits):
                one, other = some[row], choices[column]
                if one == other or (weights.is_established(one) and weights.is_established(other)):
                    continue
                similarity = JaroWinkler.similarity(one, other)
                if similarity >= _SIMILAR:
                    found[one][other] = similarity
    return found


def _candidates(
    mine: _Names,
    theirs: _Names,
    weights: _Weights,
    neighbours: Neighbours,
    least: float,
    progress: Progress | None,
) -> Iterable[tuple[int, int]]:
    """Yield the pairs of forms whose names can agree as well as ``least``.

    The weights that agree are a product of two sparse matrices, forms by words; where a word has several neighbours in
    one name they are all counted, so that the bound is never too low.
    """
    from scipy.sparse import csr_matrix

    columns = len(weights.place)
    if not columns:
        return
    rows, places = _entries((form.words for form in theirs.forms), weights.place)
    names = csr_matrix((np.ones(len(rows)), (places, rows)), shape=(columns, len(theirs.forms)))
    their_weight = np.array([weights.of(form.words) for form in theirs.forms])
    for first in range(0, len(mine.forms), _CHUNK_FORMS):
        some = mine.forms[first : first + _CHUNK_FORMS]
        data: list[float] = []
        indices: list[int] = []
        starts = [0]
        for form in some:
            for word in form.words:
                if word in weights.place:
                    data.append(weights[word])
                    indices.append(weights.place[word])
                for other, similarity in neighbours.get(word, {}).items():
                    data.append(similarity * (weights[word] + weights[other]) / 2)
                    indices.append(weights.place[other])
            starts.append(len(indices))
        product: Any = csr_matrix((data, indices, starts), shape=(len(some), columns)) @ names
        own_weight = np.repeat([weights.of(form.words) for form in some], np.diff(product.indptr))
        other_weight = their_weight[product.indices]
        agreement = _agreement(product.data, own_weight, other_weight, 1.0)
        kept = np.flatnonzero(agreement >= least - 1e-9)
        own = np.searchsorted(product.indptr, kept, side="right") - 1
        yield from zip((own + first).tolist(), product.indices[kept].tolist(), strict=True)
        if progress is not None:
            progress(min(first + _CHUNK_FORMS, len(mine.forms)), len(mine.forms))


def _entries(names: Iterable[tuple[str, ...]], place: Mapping[str, int]) -> tuple[list[int], list[int]]:
    rows, places = [], []
    for row, words in enumerate(names):
        for word in words:
            rows.append(row)
            places.append(place[word])
    return rows, places


def _agreement(matched: Vector, own: Vector, other: Vector, rarity: float) -> Vector:
    """Return the agreement of the module's text, r as ``rarity``."""
    result: Vector = (2 * matched / (own + other) + 2 * rarity * matched / np.minimum(own, other)) / 3
    return result


def _score(own: NameForm, other: NameForm, weights: _Weights, neighbours: Neighbours) -> _Scored:
    """Return how well two names agree, word by word."""
    left, right = list(own.words), list(other.words)
    agree = [WordPair(word, word, 1.0) for word in left if word in right]
    same = {pair.supplier for pair in agree}
    left, right = [word for word in left if word not in same], [word for word in right if word not in same]
    alike = sorted(
        (-similarity, word, near)
        for word in left
        for near, similarity in neighbours.get(word, {}).items()
        if near in right
    )
    for negative, word, near in alike:
        if word in left and near in right:
            agree.append(WordPair(word, near, -negative))
            left.remove(word)
            right.remove(near)
    matched = sum(pair.similarity * (weights[pair.supplier] + weights[pair.listed]) / 2 for pair in agree)
    all_own, all_other = weights.of(own.words), weights.of(other.words)
    if not agree or not all_own or not all_other:
        return _Scored(own, other, 0.0, 0.0, 0.0, (), own.words, other.words)
    rarest = max(max(weights[pair.supplier], weights[pair.listed]) for pair in agree)
    left_over = max((weights[word] for word in (*left, *right)), default=0.0)
    rarity = 1.0 if not left_over else min(1.0, rarest / left_over) if weights.has_rare(agree) else 0.0
    agreement, weighed = (
        float(_agreement(np.array(matched), np.array(all_own), np.array(all_other), factor)) for factor in (1.0, rarity)
    )
    contradiction = 2 * min(weights.of(left), weights.of(right)) / (all_own + all_other)
    return _Scored(
        own,
        other,
        weighed * (1 - contradiction),
        agreement,
        matched,
        tuple(sorted(agree, key=lambda pair: -weights[pair.listed])),
        tuple(sorted(left, key=lambda word: -weights[word])),
        tuple(sorted(right, key=lambda word: -weights[word])),
    )


def _shared_identifiers(
    suppliers: Sequence[ScreenedParty], listed: Sequence[ListedParty]
) -> dict[tuple[int, int], tuple[str, ...]]:
    wanted: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for index, supplier in enumerate(suppliers):
        for text in supplier.identifiers:
            if len(key := _bare(text)) >= _SHORTEST_IDENTIFIER:
                wanted[key].append((index, text))
    found: dict[tuple[int, int], tuple[str, ...]] = {}
    if not wanted:
        return found
    for other, item in enumerate(listed):
        for number in item.identifiers:
            for own, text in wanted.get(_bare(number), ()):
                found[own, other] = tuple(dict.fromkeys((*found.get((own, other), ()), text)))
    return found


def _bare(identifier: str) -> str:
    return "".join(letter for letter in identifier.upper() if letter.isalnum())


def _match(
    supplier: ScreenedParty, entry: ListedParty, scored: _Scored, identifiers: tuple[str, ...], threshold: float
) -> Match:
    own_country = country_code(supplier.country)
    countries = {code for text in entry.countries if (code := country_code(text))}
    country = Agreement.UNKNOWN
    if own_country and countries:
        country = Agreement.AGREES if own_country in countries else Agreement.DIFFERS
    return Match(
        supplier_line=supplier.line,
        supplier_id=supplier.id,
        supplier_name=supplier.name,
        supplier_text=scored.own.text,
        supplier_alias=scored.own.is_alias,
        list_file=entry.file,
        list_line=entry.line,
        list_name=entry.list_name,
        entry_id=entry.id,
        entry_name=entry.name,
        entry_text=scored.other.text,
        entry_alias=scored.other.is_alias,
        entry_kind=entry.kind,
        start_date=entry.start_date,
        url=entry.url,
        score=scored.score,
        threshold=threshold,
        agree=scored.agree,
        supplier_only=scored.own_only,
        entry_only=scored.other_only,
        country=country,
        identifiers=identifiers,
        why=_why(scored, country, identifiers),
    )


def _why(scored: _Scored, country: Agreement, identifiers: tuple[str, ...]) -> str:
    parts = []
    if identifiers:
        parts.append(f"both have the identifier {', '.join(identifiers)}")
    if scored.agree:
        said = [
            pair.supplier if pair.supplier == pair.listed else f"{pair.supplier} for {pair.listed}"
            for pair in scored.agree
        ]
        parts.append(f"agree: {' '.join(said) if all(len(word) == 1 for word in said) else ', '.join(said)}")
    for name, words in (("supplier alone", scored.own_only), ("list alone", scored.other_only)):
        if words:
            parts.append(f"{name}: {', '.join(words)}")
    through = [side for side, form in (("supplier's", scored.own), ("list's", scored.other)) if form.is_alias]
    if through:
        parts.append(f"by an alias of the {' and the '.join(through)}")
    parts.append(f"country {country.value}")
    return "; ".join(parts)


def _fewest(near: Sequence[Match]) -> tuple[tuple[Match, ...], int]:
    """Return the best near misses of each supplier, and how many are left out."""
    told: dict[int, int] = defaultdict(int)
    kept = []
    for item in near:
        told[item.supplier_line] += 1
        if told[item.supplier_line] <= MOST_NEAR_MISSES:
            kept.append(item)
    return tuple(kept), len(near) - len(kept)


def _repeated(suppliers: Sequence[ScreenedParty]) -> tuple[tuple[int, ...], ...]:
    lines: dict[tuple[frozenset[str], str], list[int]] = defaultdict(list)
    for item in suppliers:
        words = frozenset(word for form in forms_of(item.name) for word in form.words)
        lines[words, country_code(item.country) or item.country].append(item.line)
    return tuple(tuple(found) for found in lines.values() if len(found) > 1)
