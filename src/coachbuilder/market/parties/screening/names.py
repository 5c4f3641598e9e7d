"""Names of companies brought to a form in which they can be compared: script, case, punctuation, legal form.

A name becomes words. Chinese and Japanese ideographs are words of one sign each, for their names have no spaces. A name
that is written in two scripts is taken apart into one form for each.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

WEAK_WORDS = frozenset({"group", "holding", "集", "团", "the", "of", "and", "for", "de", "und", "et", "y", "e"})
"""Words that tell firms apart but little: part of the name by law, and often left out."""

_LEGAL_FORMS = (
    # English, and English as China, Japan and Korea use it
    "public limited company", "private limited company", "joint stock company", "limited liability company",
    "company limited", "company ltd", "co limited", "co ltd", "limited company", "pte ltd", "pty ltd", "pvt ltd",
    "private limited", "limited", "ltd", "corporation", "corp", "incorporated", "inc", "company", "co", "llc", "llp",
    "plc", "lp",
    # German, Dutch, Nordic
    "gmbh and co kgaa", "gmbh and co kg", "ag and co kg", "gesellschaft mit beschrankter haftung", "aktiengesellschaft",
    "gmbh", "kgaa", "kg", "ag", "ohg", "gbr", "mbh", "bv", "nv", "oyj", "oy", "ab", "aktiebolag", "asa", "as", "aps",
    "a s",
    # Romance languages
    "societe anonyme", "sociedad anonima", "societa per azioni", "societa a responsabilita limitata",
    "sociedade anonima", "sa de cv", "sapi de cv", "spa", "srl", "sarl", "sasu", "sas", "snc", "sa", "sl", "slu",
    "ltda", "eirl",
    # Russian and other Slavic, in Latin letters
    "obshchestvo s ogranichennoi otvetstvennostiu", "obshchestvo s ogranichennoy otvetstvennostyu",
    "publichnoe aktsionernoe obshchestvo", "aktsionernoe obshchestvo", "ooo", "oao", "zao", "pao", "ao", "pjsc", "ojsc",
    "cjsc", "jsc", "sp z o o", "sp zoo", "sp k", "sro", "doo", "ad", "eood", "ood", "kft", "zrt", "nyrt",
    # Turkish, Malay, Indonesian, Vietnamese, Japanese, Korean in Latin letters, European company
    "anonim sirketi", "limited sirketi", "sdn bhd", "bhd", "tbk", "pt", "kabushiki kaisha", "kabushiki gaisha",
    "godo kaisha", "yugen kaisha", "kk", "chusik hoesa", "jusik hoesa", "fze", "fzco", "fzc", "wll", "pjs", "se",
)  # fmt: skip
"""Legal forms as words; the longest that fits is taken off."""

_ANYWHERE = frozenset(
    {"ltd", "limited", "gmbh", "llc", "plc", "incorporated", "inc", "corporation", "corp", "co ltd", "company limited"}
    | {"gmbh and co kg", "ag and co kg", "joint stock company", "limited liability company", "pjsc", "ojsc", "cjsc"}
)
"""Forms that may also stand within a name, before a branch or a place; short ones there could be anything."""

_IDEOGRAPH_FORMS = (
    "股份有限公司", "有限责任公司", "股份公司", "有限公司", "株式会社", "合同会社", "有限会社", "주식회사",
    "(株)", "(주)", "公司",
)  # fmt: skip
"""Legal forms that are written without spaces, longest first; traditional signs are made simple before."""

_FOLDED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
)
_CYRILLIC = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "i",
        "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
        "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
        "я": "ya", "є": "ye", "і": "i", "ї": "i", "ґ": "g", "ў": "u", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c",
        "ђ": "dj", "џ": "dz",
    }
)  # fmt: skip
"""Letters as passports and English papers write them, near to the BGN/PCGN tables; signs without sound fall away."""

_SIMPLIFIED = str.maketrans(
    "長車國電業東華廣機動發氣鋼鐵銀貿術資訊學實團龍飛橋達運輪陽聯進軟際場門個儀創責藥環網絡線滬漢寧蘇豐灣匯滙經濟雲馬鵬齊"
    "遼錦興盛亞歐愛紅綠藍黃裝設備製產品質會限總聲視頻導體層開關壓縮鑄鍛",
    "长车国电业东华广机动发气钢铁银贸术资讯学实团龙飞桥达运轮阳联进软际场门个仪创责药环网络线沪汉宁苏丰湾汇汇经济云马鹏齐"
    "辽锦兴盛亚欧爱红绿蓝黄装设备制产品质会限总声视频导体层开关压缩铸锻",
)
"""Traditional signs that are frequent in names of companies; others are left as they are."""

_SAME_WORD = {
    "intl": "international", "int'l": "international", "mfg": "manufacturing", "mfr": "manufacturer",
    "tech": "technology", "engg": "engineering", "eng": "engineering", "ind": "industry", "inds": "industry",
    "bros": "brother", "assoc": "association", "inst": "institute", "univ": "university", "grp": "group",
    "imp": "import", "exp": "export", "elec": "electric", "sci": "science", "dev": "development", "peking": "beijing",
    "tsingtao": "qingdao", "canton": "guangzhou", "nanking": "nanjing", "tientsin": "tianjin", "chungking": "chongqing",
    "hopei": "hebei", "kwangtung": "guangdong", "szechuan": "sichuan", "szechwan": "sichuan", "fukien": "fujian",
    "chekiang": "zhejiang", "kiangsu": "jiangsu", "amoy": "xiamen", "shantung": "shandong", "moskva": "moscow",
    "moskovskii": "moscow", "tekhnologiya": "technology", "tekhnologii": "technology", "lab": "laboratory",
    "hq": "headquarter", "gruppa": "group", "gruppe": "group", "groupe": "group", "grupo": "group", "gruppo": "group",
    "koncern": "concern", "kontsern": "concern", "jituan": "group", "industrie": "industry",
    "technologie": "technology",
}  # fmt: skip
"""Abbreviations, older spellings of places and words that are the same in two languages."""

_IDEOGRAPH = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORDS = re.compile(rf"[{_IDEOGRAPH}]|[^\W_{_IDEOGRAPH}]+")
_IS_IDEOGRAPH = re.compile(rf"[{_IDEOGRAPH}]")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}(?:[^\W\d_]\b)?|\b[^\W\d_](?:\.[^\W\d_])+\b")
_INITIALS_WITH_SLASH = re.compile(r"\b([a-z])/([a-z])\b")
_FORMS = sorted((tuple(form.split()) for form in _LEGAL_FORMS), key=lambda form: -len(form))
_LONGEST_FORM = len(_FORMS[0])
_FORM_SET = frozenset(_FORMS)
_ANYWHERE_SET = frozenset(tuple(form.split()) for form in _ANYWHERE)


@dataclass(frozen=True, slots=True)
class NameForm:
    """A name in the form in which it is compared."""

    text: str
    """The name as it was written."""
    is_alias: bool
    """True if it is not the primary name."""
    words: tuple[str, ...]
    """Its words, legal forms left out, each once."""


def forms_of(name: str, aliases: tuple[str, ...] = ()) -> tuple[NameForm, ...]:
    """Return the forms of a party's names, each set of words once.

    Parameters
    ----------
    name, aliases
        Names as written.

    Examples
    --------
    >>> [form.words for form in forms_of("Müller Werkzeuge GmbH & Co. KG", ("長城汽車股份有限公司",))]
    [('muller', 'werkzeuge'), ('长', '城', '汽', '车')]
    """
    found: dict[frozenset[str], NameForm] = {}
    for position, text in enumerate((name, *aliases)):
        for words in words_of(text):
            found.setdefault(frozenset(words), NameForm(text, position > 0, words))
    return tuple(found.values())


def words_of(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of a name, once for each script that it is written in; nothing if it has no words.

    Parameters
    ----------
    name
        The name as written.

    Examples
    --------
    >>> words_of("Ｇreat Wall Motor Co., Ltd.")
    (('great', 'wall', 'motor'),)
    >>> words_of("ООО «Ромашка»")
    (('romashka',),)
    """
    text = _lettered(name)
    for form in _IDEOGRAPH_FORMS:
        text = text.replace(form, " ")
    found = _WORDS.findall(text)
    signs = tuple(word for word in found if _IS_IDEOGRAPH.match(word))
    letters = _without_forms([word for word in found if not _IS_IDEOGRAPH.match(word)])
    words = tuple(same_word(word) for word in letters)
    return tuple(tuple(dict.fromkeys(part)) for part in (words, signs) if part)


def _lettered(name: str) -> str:
    """Return a name in small letters without accents, Cyrillic in Latin letters, initials drawn together."""
    text = unicodedata.normalize("NFKC", name).casefold()
    parts = unicodedata.normalize("NFD", text)
    kept = []
    latin = False
    for letter in parts:
        if unicodedata.combining(letter):
            # A breve makes another Cyrillic letter, as a mark of voice makes another kana; composed again below.
            if latin:
                continue
        else:
            latin = letter.isascii() or "\u0370" <= letter <= "\u03ff"
        kept.append(letter)
    text = unicodedata.normalize("NFC", "".join(kept)).translate(_CYRILLIC).translate(_FOLDED).translate(_SIMPLIFIED)
    text = re.sub(r"['’`´]", "", text).replace("&", " and ").replace("+", " and ")
    text = _INITIALS_WITH_SLASH.sub(r"\1\2", text)
    return _INITIALS.sub(lambda found: found.group().replace(".", ""), text)


def _without_forms(words: list[str]) -> list[str]:
    """Return words without legal forms at the end, at the beginning, and the unmistakable ones within."""
    left = list(words)
    while left:
        length = _form_length(left, at_end=True)
        if not length:
            break
        left = left[:-length]
    while left:
        length = _form_length(left, at_end=False)
        if not length:
            break
        left = left[length:]
    kept: list[str] = []
    place = 0
    while place < len(left):
        for length in range(_LONGEST_FORM, 0, -1):
            if tuple(left[place : place + length]) in _ANYWHERE_SET:
                place += length
                break
        else:
            kept.append(left[place])
            place += 1
    # A name of nothing but legal forms is a name all the same.
    return kept or words


def _form_length(words: list[str], *, at_end: bool) -> int:
    for length in range(min(_LONGEST_FORM, len(words)), 0, -1):
        part = words[-length:] if at_end else words[:length]
        if tuple(part) in _FORM_SET and length < len(words):
            return length
    return 0


def same_word(word: str) -> str:
    """Return one spelling of a word: abbreviations written out, plurals made singular.

    Parameters
    ----------
    word
        In small letters.

    Examples
    --------
    >>> same_word("intl"), same_word("technologies"), same_word("motors")
    ('international', 'technology', 'motor')
    """
    word = _SAME_WORD.get(word, word)
    if len(word) > 4 and word.isascii():
        if word.endswith("ies"):
            return word[:-3] + "y"
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            return _SAME_WORD.get(word[:-1], word[:-1])
    return word


def joined(words: tuple[str, ...], known: frozenset[str]) -> tuple[str, ...] | None:
    """Return words with neighbours written together where that makes a known word; None where nothing changes.

    Parameters
    ----------
    words
        Words of a name.
    known
        Words of the other side's names.

    Examples
    --------
    >>> joined(("hua", "wei", "technology"), frozenset({"huawei"}))
    ('huawei', 'technology')
    """
    for place, (one, other) in enumerate(pairwise(words)):
        if one.isascii() and other.isascii() and one + other in known:
            return (*words[:place], one + other, *words[place + 2 :])
    return None


_COUNTRIES = {
    "china": "cn", "prc": "cn", "peoples republic of china": "cn", "hong kong": "hk", "hong kong sar": "hk",
    "macau": "mo", "macao": "mo", "taiwan": "tw", "japan": "jp", "korea": "kr", "south korea": "kr",
    "republic of korea": "kr", "north korea": "kp", "germany": "de", "deutschland": "de", "france": "fr", "italy": "it",
    "italia": "it", "spain": "es", "portugal": "pt", "united kingdom": "gb", "great britain": "gb", "uk": "gb",
    "england": "gb", "ireland": "ie", "netherlands": "nl", "belgium": "be", "austria": "at", "switzerland": "ch",
    "sweden": "se", "finland": "fi", "norway": "no", "denmark": "dk", "poland": "pl", "czech republic": "cz",
    "czechia": "cz", "slovakia": "sk", "hungary": "hu", "romania": "ro", "bulgaria": "bg", "serbia": "rs",
    "turkey": "tr", "turkiye": "tr", "russia": "ru", "russian federation": "ru", "belarus": "by", "ukraine": "ua",
    "kazakhstan": "kz", "iran": "ir", "iraq": "iq", "syria": "sy", "israel": "il", "united arab emirates": "ae",
    "uae": "ae", "saudi arabia": "sa", "egypt": "eg", "south africa": "za", "india": "in", "pakistan": "pk",
    "thailand": "th", "vietnam": "vn", "malaysia": "my", "singapore": "sg", "indonesia": "id", "philippines": "ph",
    "australia": "au", "united states": "us", "united states of america": "us", "usa": "us", "canada": "ca",
    "mexico": "mx", "brazil": "br", "argentina": "ar", "venezuela": "ve", "cuba": "cu", "panama": "pa",
}  # fmt: skip


def country_code(country: str) -> str:
    """Return a country's code of two letters (ISO 3166-1); empty where the name is not known.

    Parameters
    ----------
    country
        The code, or the English name of one of some eighty countries.

    Examples
    --------
    >>> country_code("CN"), country_code("South Korea"), country_code("Atlantis")
    ('cn', 'kr', '')
    """
    text = " ".join(_WORDS.findall(_lettered(country)))
    return _COUNTRIES.get(text, text if re.fullmatch(r"[a-z]{2}", text) else "")
