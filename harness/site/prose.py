"""The reports as the inside of the site's pages."""

from __future__ import annotations

import re

import docutils.core
import docutils.nodes
from docutils.io import DocTreeInput
from docutils.parsers.null import Parser
from docutils.readers.doctree import Reader
from docutils.writers.html5_polyglot import HTMLTranslator, Writer
from markupsafe import Markup

#: The draft of an issue.
_DRAFT = re.compile(r'<pre class="[^"]*\bdraft\b[^"]*">.*?</pre>', re.DOTALL)

_DOCUTILS = {
    "report_level": 5,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "doctitle_xform": False,
    "initial_header_level": 1,
    "syntax_highlight": "none",
    "toc_backlinks": False,
    "_disable_config": True,
}


class _Translator(HTMLTranslator):
    """Writes each table into an element of its own, inside which it can be moved on a narrow screen."""

    def visit_table(self, node: docutils.nodes.table) -> None:
        self.body.append('<div class="wide">')
        super().visit_table(node)

    def depart_table(self, node: docutils.nodes.table) -> None:
        super().depart_table(node)
        self.body.append("</div>\n")


class _Writer(Writer):
    def __init__(self) -> None:
        super().__init__()
        self.translator_class = _Translator


def html(text: str, root: str) -> Markup:
    """Return reStructuredText as the inside of a page, its links to reports turned to the pages of the site.

    *root* leads from that page to where the site begins: empty, or ``../``.
    """
    document = docutils.core.publish_doctree(text, settings_overrides=_DOCUTILS)
    for node in document.findall(docutils.nodes.reference):
        if "refuri" in node:
            node["refuri"] = _link(node["refuri"], root)
    parts = docutils.core.publish_parts(
        document,
        source_class=DocTreeInput,
        reader=Reader(Parser()),
        writer=_Writer(),
        settings_overrides=_DOCUTILS,
    )
    # Each header of a table is that of a column, which docutils does not say.
    body = parts["body"].replace('<th class="head', '<th scope="col" class="head')
    # Its columns are as wide as what is in them: a share of a narrow screen breaks words.
    body = re.sub(r"<colgroup>.*?</colgroup>\n?", "", body, flags=re.DOTALL)
    body = body.replace('<nav class="contents', '<nav aria-label="Contents" class="contents')
    # What is there to be copied is not there to be read past.
    body = _DRAFT.sub(r"<details><summary>Show it</summary>\g<0></details>", body)
    return Markup(body)  # noqa: S704 -- docutils escapes, and raw is off


def _link(target: str, root: str) -> str:
    cell = re.fullmatch(r"(?:\.\./)?[\w.-]+/(py\d+-[\w-]+)\.rst", target)
    if cell:
        return f"{root}cells/{cell[1]}.html"
    if questions := re.fullmatch(r"([\w.-]+)/questions\.rst", target):
        return f"{root}library/{questions[1]}-questions.html"
    if target == "causes.rst":
        return f"{root}causes.html"
    if target == "index.rst":
        return f"{root}compare.html"
    library = re.fullmatch(r"(?:\.\./)?([\w.-]+)\.rst", target)
    return f"{root}library/{library[1]}.html" if library else target
