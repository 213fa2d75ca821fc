import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.report.markup.excerpts import harmless, pieces
from tagline.report.markup.html_tags import without_tags

places = st.integers(0, 3000)
spans = st.lists(st.tuples(places, places, st.floats(-2, 2)).map(lambda s: (min(s[:2]), max(s[:2]), s[2])), max_size=12)


def test_words_are_marked_where_they_stand():
    text = "A dull film, a superb cast."
    found, goes_on = pieces(text, [(2, 6, 1.0), (15, 21, -0.5)])
    assert [(p.text, p.contribution, p.strength) for p in found] == [
        ("A ", 0, 0),
        ("dull", 1.0, 1.0),
        (" film, a ", 0, 0),
        ("superb", -0.5, 0.5),
        (" cast.", 0, 0),
    ]
    assert not goes_on


def test_overlapping_spans_add_up():
    # "not" -0.2, "good" 0.5, "not good" -1: the pair turns the word around.
    found, _ = pieces("not good", [(0, 3, -0.2), (4, 8, 0.5), (0, 8, -1.0)])
    marked = [(p.text, round(p.contribution, 6)) for p in found]
    assert marked == [("not", -1.2), (" ", -1.0), ("good", -0.5)]


def test_words_under_a_quarter_of_the_strongest_stay_unmarked():
    found, _ = pieces("bad so dull", [(0, 3, 1.0), (4, 6, 0.24), (7, 11, -0.25)])
    assert [p.text for p in found if p.contribution] == ["bad", "dull"]


def test_a_long_text_is_cut_around_its_strongest_words():
    text = "filler " * 500 + "masterpiece " + "filler " * 500
    start = text.index("masterpiece")
    found, goes_on = pieces(text, [(start, start + 11, 2.0)])
    assert "masterpiece" in [p.text for p in found]
    assert sum(len(p.text) for p in found) < 300
    assert found[0].cut
    assert goes_on


def test_a_long_text_without_spans_shows_its_beginning():
    found, goes_on = pieces("word " * 1000, [])
    assert found[0].text.startswith("word word")
    assert not found[0].cut
    assert goes_on
    assert sum(len(p.text) for p in found) <= 640


@given(st.text(max_size=3000), spans)
def test_pieces_are_the_text_in_order_and_bounded(text, marks):
    found, goes_on = pieces(text, marks)
    assert len(harmless(text)) == len(text)
    clean = harmless(without_tags(text, ())[0])
    position = 0
    for piece in found:
        if "\n" in piece.text or "<" in piece.text:
            return  # line breaks may be rewritten
        assert 0 <= piece.strength <= 1
        at = clean.find(piece.text, position)
        assert at == position or piece.cut
        position = at + len(piece.text)
    assert goes_on or position == len(clean)


def test_line_break_tags_become_line_breaks():
    found, _ = pieces("One.<br /><br />Two.<BR>", [])
    assert found[0].text == "One.\nTwo.\n"


def test_marks_stay_on_their_words_when_tags_are_left_out():
    text = "<p>So&nbsp;<b>dull</b>,<br /><br />isn&#39;t it? I <3 a < b & c > d, <NAME>.</p><!-- x -->"
    words = ["So", "dull", "br", "isn", "39", "t", "NAME", "b & c", "x", "<3"]
    spans = [(text.index(word), text.index(word) + len(word), k + 1.0) for k, word in enumerate(words)]
    readable, moved = without_tags(text, spans)
    assert readable == "So\xa0dull,\nisn't it? I <3 a < b & c > d, <NAME>.\n"
    assert [(readable[start:end], words[int(value) - 1]) for start, end, value in moved] == [
        (word, word) for word in words if word not in ("br", "39", "x")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "if (a <b && c> d) and <title of song> end",
        "5 <b 6 <i 7> 8",
        "x <a y=1 or z> w",
        "x <a y==1> z",
        "</title of song>",
        "a <input hidden treasure> b",
        'say <b "loud"> now',
    ],
)
def test_only_tags_with_nothing_but_attributes_are_left_out(text):
    found, _ = pieces(text, [(0, len(text), 1.0)])
    assert [piece.text for piece in found] == [text]


def test_tags_with_attributes_of_any_kind_are_left_out():
    text = """<a href=/x/?q=1 title='a b' data-n = "2"
    hidden>link</a > <td nowrap>c</td><input type=checkbox checked/><IMG SRC="x.png" alt=""/>."""
    start = text.index("link")
    assert without_tags(text, [(start, start + 4, 1.0)]) == ("link c.", [(0, 4, 1.0)])


TAGS = ["<br />", "<BR>\n", "<i>", "</i>", "<p class='a'>", "&amp;", "&#0;", "word", " ", "<", ">", "é"]


@given(st.lists(st.sampled_from(TAGS), max_size=30))
def test_text_outside_tags_keeps_its_characters(parts):
    text = "".join(parts)
    spans = [(at, at + 4, 1.0) for at in range(len(text)) if text.startswith("word", at)]
    readable, moved = without_tags(text, spans)
    assert len(moved) == len(spans)
    assert all(readable[start:end] == "word" for start, end, _ in moved)
    assert "<br" not in readable.lower()
