"""Further sets of questions that a library always answers, and its other ways to carry the same chat."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import TYPE_CHECKING

from harness import exchanges, probes
from harness.chat import Chat, opened
from harness.errors import CellFailure
from harness.libraries.base import Variant
from harness.result import Exchange, Finding, Judgement, Probe, Reason, VariantResult, as_expected

if TYPE_CHECKING:
    from harness.serve import Served, Site


def sets(chat: Chat, site: Site, served: Served) -> None:
    """Ask the library's own sets of questions; the findings of all its ways stand in one set of each name."""
    for name, asking in site.library.sets(chat).items():
        with suppress(CellFailure), site.recorder.own(f"{name}{_number(served, chat)}") as say:
            findings: list[Finding] = []
            broken_off = probes.collect(asking, findings, chat)
            say(as_expected(findings))
            known = next((each for each in served.sets if each.name == name), None)
            if known is None:
                served.sets.append(Probe(name=name, findings=findings))
            else:
                known.findings.extend(findings)
            if broken_off:
                raise CellFailure(Reason.EXCHANGE_WRONG, f"broken off: {broken_off}")


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
            with site.serving(name, served, **settings) as chat:
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
    other = Chat(chat.library, chat.cell, chat.port, chat.broker, chat.prefix, chat.server, browsers=chat.browsers)
    other.links, other.way = variant.links or other.links, variant.name
    with opened(other):
        judgement, wrong = _exchange(other, site, len(served.variants) + 1)
        served.variants.append(VariantResult(name=variant.name, judgement=judgement, exchanges=wrong))
        if judgement.reason is Reason.WORKS:
            sets(other, site, served)
    other.transcript.write(site.recorder.evidence / f"frames-{_slug(variant.name)}.jsonl", site.recorder.scrub)


def _exchange(chat: Chat, site: Site, number: int) -> tuple[Judgement, list[Exchange]]:
    """Return how the fifteen went, and the rows where one was wrong."""
    exchanged = exchanges.Exchanged()
    try:
        with site.recorder.own(f"variant {number}") as say:
            say(chat.way)
            chat.connect()
            exchanged = exchanges.run(chat)
            good = sum(exchange.good for exchange in exchanged.exchanges)
            say(f"{good} of {len(exchanged.exchanges)} right")
            if good < len(exchanged.exchanges):
                raise CellFailure(Reason.EXCHANGE_WRONG, exchanges.what_was_wrong(chat, exchanged))
    except CellFailure as failure:
        return Judgement.of(failure.reason, failure.text), exchanged.exchanges
    return Judgement.of(Reason.WORKS, f"{good} of {good} exchanges right"), []


def _number(served: Served, chat: Chat) -> str:
    return f" {len(served.variants)}" if chat.way else ""


def _slug(name: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name).split())
