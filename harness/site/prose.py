"""The reports as the inside of the site's pages."""

from __future__ import annotations

import re

import docutils.core
import docutils.nodes
from markupsafe import Markup

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


def html(text: str, root: str) -> Markup:
    """Return reStructuredText as the inside of a page, its links to reports turned to the pages of the site.

    *root* leads from that page to where the site begins.
    """
    document = docutils.core.publish_doctree(text, settings_overrides=_DOCUTILS)
    for node in document.findall(docutils.nodes.reference):
        if "refuri" in node:
            node["refuri"] = _link(node["refuri"], root)
    parts = docutils.core.publish_from_doctree(document, writer="html5", settings_overrides=_DOCUTILS)
    found = re.search(r"<body[^>]*>\s*<main[^>]*>(.*)</main>\s*</body>", parts.decode(), re.DOTALL)
    body = found[1] if found else ""
    body = body.replace("<table", '<div class="wide"><table').replace("</table>", "</table></div>")
    return Markup(body)  # noqa: S704 -- docutils escapes, and raw is off


def _link(target: str, root: str) -> str:
    cell = re.fullmatch(r"(?:\.\./)?[\w.-]+/(py\d+-[\w-]+)\.rst", target)
    if cell:
        return f"{root}cells/{cell[1]}.html"
    library = re.fullmatch(r"(?:\.\./)?([\w.-]+)\.rst", target)
    return f"{root}library/{library[1]}.html" if library else target
