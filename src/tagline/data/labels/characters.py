"""Characters of labels that nobody sees: removed where spellings are compared, and shown in messages."""

import re
import unicodedata

#: Characters without width that are copied along with text: soft hyphen, zero-width spaces and joiners, marks of
#: direction, variation selectors, byte order mark.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe0e\ufe0f\ufeff]")
_FULL_WIDTH = re.compile("[\uff01-\uffef]+")
#: Pairs of quotes around a label, as of a field that was quoted twice.
_QUOTED = re.compile("\"([^\"]+)\"|'([^']+)'|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»")
_QUOTES, _STOPS = "\"'", ".,;:"
_END_OF_SENTENCE = re.compile(rf"(?<=[^\W\d_])[{_STOPS}]$")
_SEVERAL_SPACES = re.compile("  +")


def clean(label: str) -> str:
    r"""Return a label without invisible characters, and with one plain space between words.

    >>> clean("very\u00a0\u200b good"), clean("a\u00adb")
    ('very good', 'ab')
    """
    return " ".join((label if label.isascii() else _INVISIBLE.sub("", label)).split())


def plain(label: str) -> str:
    """Return a label in characters of normal width, without quotes around it and a full stop or the like at its end.

    >>> plain("ＩＴ"), plain('"billing"'), plain("Billing."), plain("C++"), plain("...")
    ('IT', 'billing', 'Billing', 'C++', '...')
    """
    if label.isascii() and label[:1] not in _QUOTES and label[-1:] not in _STOPS:
        return label
    label = _FULL_WIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), label)
    quoted = _QUOTED.fullmatch(label)
    return _END_OF_SENTENCE.sub("", quoted[quoted.lastindex or 0].strip() if quoted else label)


def visible(label: str) -> str:
    r"""Return a label as messages show it: invisible characters as escapes, several spaces as open boxes.

    >>> print(visible("a\u200b"), visible("a\u00a0b"), visible("a  b"), visible("a\nb"))
    a\u200b a\xa0b a␣␣b a\nb
    """
    label = _SEVERAL_SPACES.sub(lambda found: "␣" * len(found[0]), label)
    return "".join(
        character
        if character == " " or (character.isprintable() and not _INVISIBLE.match(character))
        else character.encode("unicode_escape").decode()
        for character in label
    )
