"""One sentence → the words and terms that the model counts; negations, stop words, numbers, modal verbs all count."""

import re
import unicodedata

# Words keep inner apostrophes and hyphens ("don't", "well-matched"); "%" and "£" carry meaning of their own.
_WORD = re.compile(r"\b\w(?:[\w'-]*\w)?\b|[%£]")
_SPELLINGS = str.maketrans({"’": "'", "‘": "'", "‑": "-", "‐": "-", "–": " ", "—": " "})
CONTRAST = frozenset({"although", "but", "despite", "except", "however", "though", "while", "whilst", "yet"})
GAPS = (2, 3)
FIRST, LAST = 3, 2
_AUXILIARIES = {"are", "been", "being", "had", "has", "have", "is", "was", "were"}
_MODALS = {"can", "could", "may", "might", "must", "need", "needs", "shall", "should", "will", "would"}
_PLANS = {"agreed", "aim", "aims", "committed", "intend", "intends", "plan", "planned", "planning", "plans"}
_NEGATIONS = {"never", "no", "not", "without"}
_DEGREES = {"few", "less", "many", "more", "most", "some", "too"}
_TIMES = {"already", "continue", "continued", "continues", "further", "now", "still"}
# Words that say how others are meant, wherever in the sentence these stand.
SIGNALS = CONTRAST.union(_AUXILIARIES, _MODALS, _PLANS, _NEGATIONS, _DEGREES, _TIMES)
REACH = 12


def clean_text(text: str) -> str:
    """Fold the spellings of one sentence that mean the same.

    Args:
        text: A sentence as read.

    Returns:
        NFKC-normalised, lower case, with plain apostrophes and hyphens.

    Example:
        >>> clean_text("Leaders don’t know")
        "leaders don't know"
    """
    return unicodedata.normalize("NFKC", text).translate(_SPELLINGS).lower()


def words(text: str) -> list[str]:
    """Split a cleaned sentence into words.

    Args:
        text: As `clean_text` returns it.

    Returns:
        Words, numbers, and the signs % and £, in order.

    Example:
        >>> words("not all of the 25% don't wait")
        ['not', 'all', 'of', 'the', '25', '%', "don't", 'wait']
    """
    return _WORD.findall(text)


def contrast_terms(text: str) -> list[str]:
    """Name the words after a contrast ("but", "although", ...), and how the sentence begins and ends.

    Args:
        text: As `clean_text` returns it.

    Returns:
        Terms with a mark that keeps them apart from plain words.

    Example:
        >>> contrast_terms("plans are clear but late")
        ['>late', 'but$', 'late$', '^plans', '^plans are', '^plans are clear']
    """
    found = words(text)
    turn = next((place for place, word in enumerate(found) if word in CONTRAST), len(found))
    after = [f">{word}" for word in found[turn + 1 :] if word not in CONTRAST]
    first = [f"^{' '.join(found[:count])}" for count in range(1, FIRST + 1)]
    return [*after, *(f"{word}$" for word in found[-LAST:]), *first]


def gapped_pairs(text: str) -> list[str]:
    """Pair each word with the second and third after it, so that "not ... consistently" counts as one.

    Args:
        text: As `clean_text` returns it.

    Returns:
        Pairs joined by a space, which no word holds.

    Example:
        >>> gapped_pairs("not yet consistently good")
        ['not consistently', 'not good', 'yet good']
    """
    found = words(text)
    return [
        f"{word} {found[place + gap]}" for place, word in enumerate(found) for gap in GAPS if place + gap < len(found)
    ]


def signal_pairs(text: str) -> list[str]:
    """Pair each word with the signal words ("will", "not", "has", ...) up to `REACH` places away.

    Args:
        text: As `clean_text` returns it.

    Returns:
        Pairs in the order of the sentence, joined by a space; of two signal words one pair.

    Example:
        >>> signal_pairs("leaders will soon review this")
        ['leaders will', 'will soon', 'will review', 'will this']
    """
    found = words(text)
    signal = [word in SIGNALS for word in found]
    return [
        f"{word} {found[later]}"
        for place, word in enumerate(found)
        for later in range(place + 1, min(place + 1 + REACH, len(found)))
        if signal[place] or signal[later]
    ]
