"""Reads the pages that maeil writes, and holds what they show against the documents that they name."""
import html.parser
import re

VOID = {"meta", "br"}


class Page(html.parser.HTMLParser):
    """Sections with their cells and sources; what is wrong with the markup is in `wrong`."""

    def __init__(self, text):
        super().__init__()
        self.wrong, self.open, self.headings, self.lead = [], [], [], ""
        self.sections = {}
        self.feed(text)
        self.close()
        if self.open:
            self.wrong.append(f"never closed: {self.open}")

    def section(self):
        return self.sections[self.headings[-1][1]]

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in ("script", "link", "img", "iframe") or {"src", "href", "style"} & set(attributes) or any(name.startswith("on") for name in attributes):
            self.wrong.append(f"{tag} {attributes}")
        if tag == "svg" and (attributes.get("role") != "img" or not attributes.get("aria-label")):
            self.wrong.append("a picture that cannot be heard")
        if tag == "th" and attributes.get("scope") not in ("row", "col"):
            self.wrong.append("a header without a scope")
        if tag == "html" and attributes.get("lang") != "en":
            self.wrong.append("no language")
        if tag not in VOID:
            self.open.append((tag, attributes))
            self.text = ""

    def handle_startendtag(self, tag, attributes):
        if tag not in ("path", "rect", "circle"):
            self.wrong.append(f"<{tag}/>")

    def handle_data(self, data):
        if self.open:
            self.text += data

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            return self.wrong.append(f"</{tag}> inside {self.open}")
        _, attributes = self.open.pop()
        if tag in ("h1", "h2", "h3"):
            self.headings.append((int(tag[1]), self.text))
            if tag == "h2":
                self.sections[self.text] = {"cells": [], "names": [], "sources": [], "texts": []}
            elif tag == "h3":
                self.headings.pop()  # of a picture, below its section
        elif tag == "p" and attributes.get("class") == "sources":
            self.section()["sources"] = re.findall(r"[0-9a-f]{24}", self.text)
        elif tag == "p" and len(self.headings) == 1:
            self.lead = self.text
        elif tag == "p":
            self.section()["texts"].append(self.text)
        elif tag == "th":
            self.section()["names"].append(self.text)
        elif tag in ("td", "b"):
            self.section()["cells"].append(self.text)


def fact(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if value and (abs(value) < 1e-3 or abs(value) >= 1e7) else f"{value:.4f}"
    if isinstance(value, dict) and "$oid" in value:
        return value["$oid"]
    if isinstance(value, dict) and "$date" in value:
        return value["$date"].replace("T", " ").replace("Z", " UTC")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {fact(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(fact, value))
    return str(value)


def facts(value):
    """Every field of a document, at any depth, as a page shows it."""
    found = {fact(value)}
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        found |= facts(item)
    return found | (set(value) if isinstance(value, dict) else set())


def strangers(section, documents, said):
    """The cells of a section that neither stand in one of its documents (by id) nor are words of the page's own. An interval, a
    list, who on which machine: each part of it."""
    known = said.union(*(facts(documents[source]) for source in section["sources"]))
    parts = lambda cell: [cell] if cell in known else re.split(r" to | on |, ", cell.removeprefix("skipped because of "))
    return [cell for cell in section["cells"] if not set(parts(cell)) <= known]
