"""A page of a run, taken apart."""

from html.parser import HTMLParser

from tagline.report import write_report

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, attributes and text; refuses tags that do not nest."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.open, self.sections, self.tables = [], [], [], {}, []
        self.feed(html)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("id")))

    def handle_endtag(self, tag):
        if tag in ("td", "th", "dt", "dd", "li", "p"):
            self.handle_data(" ")
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1][0] not in ("style", "title"):
            section = next((i for t, i in reversed(self.open) if t == "section"), "top")
            self.sections.setdefault(section, []).append(data)

    def words(self, section):
        return " ".join("".join(self.sections[section]).split())

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    def pictures(self):
        return [attrs for attrs in self.all("svg") if attrs.get("role") == "img"]


def page_of(folder):
    return Page(write_report(folder).read_text(encoding="utf-8"))
