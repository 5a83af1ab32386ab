"""Further sets of questions that a library always answers, and its other ways to carry the same chat."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from harness import exchanges, probes
from harness.chat import Chat, opened
from harness.errors import CellFailure
from harness.libraries.base import Variant
from harness.result import Finding, Judgement, Probe, Reason, VariantResult

if TYPE_CHECKING:
    from harness.serve import Served, Site


def sets(chat: Chat, site: Site, served: Served) -> None:
    """Ask the library's own sets of questions; the findings of all its ways stand in one set of each name."""
    number = f" {len(served.variants)}" if chat.way else ""
    for name, asking in site.library.sets(chat).items():
        findings: list[Finding] = []
        probes.ask(f"{name}{number}", asking, findings, chat, site.recorder)
        known = next((each for each in served.sets if each.name == name), None)
        if known is None:
            served.sets.append(Probe(name=name, findings=findings))
        else:
            known.findings.extend(findings)


def here(chat: Chat, site: Site, served: Served) -> None:
    """Try the variants that the running server serves as well, on connections of their own."""
    for variant in site.library.variants(site.cell):
        if not variant.environment:
            _try(chat, variant, site, served)


def elsewhere(site: Site, served: Served) -> None:
    """Try the variants that need a server with other settings; one server for those with the same."""
    others = [variant for variant in site.library.variants(site.cell) if variant.environment]
    for settings, group in itertools.groupby(others, key=lambda variant: variant.environment):
        together = list(group)
        name = f"{site.subject.server.name} {' '.join(settings.values())}"
        try:
            with site.serving(name, served, settings) as chat:
                chat.log_in()
                for variant in together:
                    _try(chat, variant, site, served)
        except CellFailure as failure:
            tried = {each.name for each in served.variants}
            served.variants += [
                VariantResult(name=variant.name, judgement=Judgement.of(failure.reason, failure.text))
                for variant in together
                if variant.name not in tried
            ]


def _try(chat: Chat, variant: Variant, site: Site, served: Served) -> None:
    other = Chat(
        *(chat.library, chat.cell, chat.port, chat.broker, chat.prefix, chat.server),
        browsers=chat.browsers,
        links=variant.links,
        way=variant.name,
    )
    with opened(other):
        served.variants.append(_exchange(other, site, len(served.variants) + 1))
        if served.variants[-1].judgement.reason is Reason.WORKS:
            sets(other, site, served)
    other.transcript.write(site.recorder.evidence / f"frames-{_slug(variant.name)}.jsonl", site.recorder.scrub)


def _exchange(chat: Chat, site: Site, number: int) -> VariantResult:
    """Return how the fifteen went, with all rows where one was wrong."""
    exchanged = exchanges.Exchanged()
    try:
        with site.recorder.own(f"variant {number}") as say:
            say(chat.way)
            chat.connect()
            exchanged = exchanges.run(chat)
            say(f"{exchanged} right")
            exchanges.check(chat, exchanged)
    except CellFailure as failure:
        judgement = Judgement.of(failure.reason, failure.text)
        return VariantResult(name=chat.way, judgement=judgement, exchanges=exchanged.exchanges)
    return VariantResult(name=chat.way, judgement=Judgement.of(Reason.WORKS, f"{exchanged} exchanges right"))


def _slug(name: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name).split())
