"""Further sets of questions that a library always answers, and its other ways to carry the same chat."""

from __future__ import annotations

from contextlib import closing

from harness.cell import questions, ways
from harness.cell.outcome import Observations
from harness.cell.server import CellServer
from harness.chat import exchanges
from harness.chat.conversation import Chat
from harness.chat.rounds import first_round
from harness.errors import CellFailure
from harness.libraries.base import Variant
from harness.results.result import Finding, Judgement, Probe, VariantResult
from harness.verdict import Reason

#: How many wrong rows of a variant are kept: a result has to stay small.
_WRONG = 5


def sets(chat: Chat, server: CellServer, observed: Observations) -> None:
    """Ask the library's own sets of questions; the findings of all its ways stand in one set of each name."""
    number = f" {len(observed.variants)}" if chat.variant else ""
    for name, asking in server.library.sets(chat).items():
        findings: list[Finding] = []
        questions.ask(f"{name}{number}", asking, findings, chat, server.recorder)
        known = next((each for each in observed.sets if each.name == name), None)
        if known is None:
            observed.sets.append(Probe(name=name, findings=findings))
        else:
            known.findings.extend(findings)


def try_on_running_server(chat: Chat, server: CellServer, observed: Observations) -> None:
    """Try the variants that the running server serves as well, on connections of their own."""
    for variant in server.library.variants(server.cell):
        if not variant.environment and server.wants_way(variant.name):
            _try(chat, variant, server, observed, server.name)


def try_on_own_servers(server: CellServer, observed: Observations) -> None:
    """Try the variants that need a server with other settings; one server for those with the same."""
    for settings, together in ways.servers_of(server):
        name = f"{server.name} {' '.join(settings.values())}"
        try:
            with server.serving(name, observed, server.settings_for(together[0])) as chat:
                chat.log_in()
                for variant in together:
                    _try(chat, variant, server, observed, name)
        except CellFailure as failure:
            tried = {each.name for each in observed.variants}
            observed.variants += [
                VariantResult(name=variant.name, judgement=Judgement.of(failure.reason, failure.text))
                for variant in together
                if variant.name not in tried
            ]


def _try(chat: Chat, variant: Variant, server: CellServer, observed: Observations, name: str) -> None:
    """Try *variant* on the server that was started as *name*."""
    with closing(ways.chat_of(chat, variant)) as other:
        observed.variants.append(_exchange(other, server, len(observed.variants) + 1, name))
        observed.repeated += other.repeated
        if observed.variants[-1].judgement.reason is Reason.WORKS:
            sets(other, server, observed)
    other.transcript.write(server.recorder.evidence / f"frames-{_slug(variant.name)}.jsonl", server.recorder.scrub)


def _exchange(chat: Chat, server: CellServer, number: int, name: str) -> VariantResult:
    """Return how the fifteen went, with the first rows that were wrong, and what the server *name* printed then."""
    since = server.written(name)  # of ways that share a server each is told what came of itself
    exchanged = exchanges.Exchanged(first_round(chat.token))
    try:
        with server.recorder.own(f"variant {number}") as say:
            say(chat.variant)
            chat.connect()
            exchanged = exchanges.run(chat, exchanged.round)
            say(f"{exchanged} right")
            exchanges.check(exchanged)
    except CellFailure as failure:
        said = server.printed(name, since)
        judgement = Judgement.of(failure.reason, said.behind(failure.text) if said else failure.text)
        wrong = [each for each in exchanged.exchanges if not each.good]
        return VariantResult(name=chat.variant, judgement=judgement, exchanges=wrong[:_WRONG])
    return VariantResult(name=chat.variant, judgement=Judgement.of(Reason.WORKS, f"{exchanged} exchanges right"))


def _slug(name: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name).split())
