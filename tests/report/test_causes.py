"""The page of causes and cures."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
import samples

from harness.report import causes, rst
from harness.report.render import render
from harness.report.view import read_view
from harness.results.document import save_result
from harness.results.explained import Attempt, Catch, Cause, Cure, Turned
from harness.results.folder import Reports
from harness.results.result import Judgement
from harness.verdict import Reason, Verdict

CELL, OTHER = "py310-django52-channels4", "py311-django52-channels4"


def cure(kind: str = "pin", change: str = "redis<8") -> Cure:
    return Cure(
        question="early", kind=kind, change=change, verdict=Verdict.WORKS, text="is received", tried_on="2026-11-26"
    )


@pytest.fixture
def reports(tmp_path) -> Reports:
    """Two cells of one catch, whose cause and cure one of them knows, and one that does not work."""
    made = samples.write(tmp_path, CELL, OTHER, "py313-django52")
    turned = [Turned(package="redis", good="7.4.1", bad="8.0.0", uploaded="2026-05-28")]
    cause = Cause(
        question="early",
        turned=turned,
        text="redis 8.0.0 (2026-05-28). `x`_",
        good=["redis==7.4.1"],
        bad=["redis==8.0.0"],
        found_on="2026-11-26",
    )
    save_result(msgspec.structs.replace(samples.of(CELL), causes=[cause], cures=[cure()]), made.result(CELL))
    return made


def test_page(reports):
    """Each cause has a row and a section of its own address, with cause, cure, cells and the draft of an issue."""
    page = render(read_view(reports))["causes.rst"]
    assert not rst.problems(page)
    assert "redis 8.0.0 (2026-05-28)" in page
    assert rf"install redis\<8: tried in {CELL}, expected in 1 other" in page
    assert f"`{OTHER} <channels4/{OTHER}.rst>`__" in page
    assert ".. _cause-early-" in page
    assert "   # channels 4.3.2: A message sent right after" in page


def test_nothing_is_wrong(tmp_path):
    """Where everything works without a catch the page says so."""
    result = msgspec.structs.replace(samples.of(CELL), probes=[], sets=[], isolation=[])
    reports = Reports(tmp_path)
    save_result(result, reports.result(CELL))
    assert "Every cell that was tested works, and has no catch." in render(read_view(reports))["causes.rst"]


def known(reports):
    return {root.id: root for root in causes.found(read_view(reports))}


class Weighs:
    """Knows what speaks against cures: nothing, or what a test says of one."""

    def __init__(self, against=lambda name, cure: ""):
        self.against = against

    def brought(self, name, cure):
        return cure.brings

    def shown(self, root):
        return {}

    def left(self, name, cure, root):
        return []


NOTHING_WORSE = Weighs()


def test_what_mends(reports):
    """What mends the cell itself is named before another cell that works; what is only expected is counted."""
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    assert causes.mended(root, NOTHING_WORSE) == f"install redis<8: tried in {CELL}, expected in 1 other"
    other = msgspec.structs.replace(samples.of(OTHER), cures=[cure("cell", "py313-django60-channels4")] * 3)
    save_result(other, reports.result(OTHER))
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    assert causes.mended(root, NOTHING_WORSE).startswith("install redis<8: tried in")
    said = causes.mended(root, Weighs(lambda name, _: "another answer gets worse there"))
    assert "; no cure, for another answer gets worse there" in said
    said = causes.mended(root, Weighs(lambda _, each: "it works in 1 of 2 cells" if each.kind == "pin" else ""))
    assert said.startswith("as in py313-django60-channels4: tried in")
    assert causes.cure(cure("server", "uvicorn")) == "uvicorn as the server (is received; tried on 2026-11-26)"


def test_what_may_be_chance(reports):
    """A cure that may be chance says so, and comes behind one that was proved; seen in a second cell it is none."""
    lucky = msgspec.structs.replace(cure("setting", "Redis layer"), chance=True)

    def mended(*cures: Cure, other: tuple[Cure, ...] = ()) -> str:
        for name, found in ((CELL, cures), (OTHER, other)):
            save_result(msgspec.structs.replace(samples.of(name), cures=list(found)), reports.result(name))
        root = next(root for name, root in known(reports).items() if name.startswith("early"))
        return causes.mended(root, NOTHING_WORSE)

    assert mended(lucky) == f"the Redis layer: tried in {CELL}; it may be chance"
    assert mended(lucky, cure("server", "uvicorn")).startswith("uvicorn as the server")
    assert mended(lucky, other=(lucky,)) == f"the Redis layer: tried in {', '.join(sorted((CELL, OTHER)))}"


def test_what_may_be_chance_in_one_library_alone(reports):
    """What is proved for one library is not told as proved of another, in which it may have been chance."""
    lucky = msgspec.structs.replace(cure("setting", "Redis layer"), chance=True)
    sure = cure("setting", "Redis layer")
    save_result(msgspec.structs.replace(samples.of(CELL), cures=[sure]), reports.result(CELL))
    save_result(msgspec.structs.replace(samples.of(OTHER), cures=[lucky]), reports.result(OTHER))
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    alike = msgspec.structs.replace(root.results[OTHER], library="another")
    both = replace(root, results={**root.results, OTHER: alike})
    told = f"the Redis layer, for channels4: tried in {CELL}; for another it may be chance"
    assert causes.mended(both, NOTHING_WORSE) == told


def test_what_answers_show(reports):
    """What the answers of cells show to mend a cause is told where nothing was tried for it with success."""
    save_result(samples.of(CELL), reports.result(CELL))
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    weighs = Weighs()
    weighs.shown = lambda _: {"the setting X": [CELL], "uvicorn as the server": [CELL, OTHER]}
    assert causes.mended(root, weighs) == f"uvicorn as the server: as the answers of {CELL}, {OTHER} show"
    save_result(msgspec.structs.replace(samples.of(CELL), cures=[cure("setting", "way X")]), reports.result(CELL))
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    weighs.left = lambda *_: ["A burst"]
    weighs.shown = lambda _: {"the way X": [CELL], "the way Y": [OTHER]}
    assert causes.mended(root, weighs) == (
        f"the way X: tried in {CELL}; not “A burst”; so does the way Y: as the answers of {OTHER} show"
    )


def test_what_mends_one_cell_and_not_the_next(reports):
    """A pin that was tried in vain in another cell of the cause is not expected to mend it there, which is said."""
    vain = Attempt(question="early", kind="pin", change="redis<8", text="can be lost", tried_on="2026-11-28")
    save_result(msgspec.structs.replace(samples.of(OTHER), attempts=[vain]), reports.result(OTHER))
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    assert causes.mended(root, NOTHING_WORSE) == f"install redis<8: tried in {CELL}, in vain in {OTHER}"


def test_what_was_tried_in_vain(reports):
    """Where nothing mends it, the table and the cell's page say what was tried; where nothing was tried, nothing."""
    vain = [
        Attempt(question="early", kind=kind, change=change, text="can be lost", tried_on="2026-11-28")
        for kind, change in zip(
            ("server", "pin", "setting", "server"), ("uvicorn", "redis<8", "Redis layer", "granian"), strict=True
        )
    ]
    save_result(msgspec.structs.replace(samples.of(CELL), attempts=vain), reports.result(CELL))
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    assert causes.mended(root, NOTHING_WORSE) == (
        f"nothing that was tried: install redis<8; the Redis layer; uvicorn or granian as the server (in {CELL})"
    )
    page = render(read_view(reports))[f"channels4/{CELL}.rst"]
    assert "uvicorn as the server (can be lost; tried on 2026-11-28)" in page.partition("  Not mended by: ")[2]
    save_result(samples.of(CELL), reports.result(CELL))
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    assert causes.mended(root, NOTHING_WORSE) == "─"


def test_what_a_cure_brings(reports):
    """What a cure brings that is milder is told with it, in the table and on the page of the cell."""
    result = samples.of(CELL)
    catch = Catch(question="burst-50", kind="loses messages", text="A burst: some are kept back")
    brings = msgspec.structs.replace(cure(), brings=[catch])
    save_result(msgspec.structs.replace(result, cures=[brings]), reports.result(CELL))
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    assert causes.cure(brings, brings.brings).startswith(
        "install redis<8 (is received; tried on 2026-11-26; it brings “A burst: "
    )
    assert f"; in {CELL} it brings “A burst: some are kept back”" in causes.mended(root, NOTHING_WORSE)


def test_unexplained(reports):
    """Cells are counted that have something whose cause is not known; others explain themselves by what they say."""
    open_ones, wrong = causes.unexplained(list(known(reports).values()))
    assert wrong == 3
    assert open_ones == 2  # the two cells of Channels have a payload that does not get through


def test_page_of_a_cell(reports):
    """The page of a cell says what its user runs into, what that comes from, and what mends it."""
    page = render(read_view(reports))[f"channels4/{CELL}.rst"]
    assert not rst.problems(page)
    assert "* A message sent right after somebody's handshake" in page
    assert "  Comes from: redis 8.0.0 (2026-05-28)" in page
    assert r"  Mended by: install redis\<8 (is received; tried on 2026-11-26)." in page
    # What was found in that cell explains it in another one with the same release.
    assert "  Comes from: redis 8.0.0 (2026-05-28)" in render(read_view(reports))[f"channels4/{OTHER}.rst"]


def test_what_mends_one_library_of_several(reports):
    """Where libraries fail alike, a cure is told for those in which it was tried, and expected in no other."""
    root = next(root for name, root in known(reports).items() if name.startswith("early"))
    alike = msgspec.structs.replace(samples.of(OTHER), library="another")
    both = replace(root, results={**root.results, "py310-django41-channels3": alike})
    told = f"install redis<8, for channels4: tried in {CELL}, expected in 1 other"
    assert causes.mended(both, NOTHING_WORSE) == told


def test_a_way_that_fails_elsewhere(reports):
    """On the page of a cell another way stands below what mends it as long as it works in all cells, and else not."""
    way = samples.of(CELL).variants[0].name
    result = msgspec.structs.replace(samples.of(CELL), cures=[cure("setting", way)])
    save_result(result, reports.result(CELL))
    page = render(read_view(reports))[f"channels4/{CELL}.rst"]
    assert f"{way} (is received; tried" in page.partition("  Mended by: ")[2].partition("\n")[0]
    fails = [
        msgspec.structs.replace(each, judgement=Judgement.of(Reason.EXCHANGE_WRONG, "no")) if each.name == way else each
        for each in samples.of(OTHER).variants
    ]
    save_result(msgspec.structs.replace(samples.of(OTHER), variants=fails), reports.result(OTHER))
    page = render(read_view(reports))[f"channels4/{CELL}.rst"]
    assert "no cure, for it works in 1 of 2 cells" in page.partition("  Not mended by: ")[2].partition("\n")[0]
