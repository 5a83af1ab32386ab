"""What turned an answer is found from an index of made-up packages: with its ends looked for, or named."""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import samples
from indexes import Index

from harness.causes.bisect import AsExpected, Bisection, NotTurned
from harness.causes.ends import End, read_end
from harness.causes.notes import Notes
from harness.causes.question import Answer
from harness.causes.releases import Releases
from harness.causes.resolver import Resolver
from harness.causes.search import NoSearch
from harness.causes.trials import Trials
from harness.cell.only import Only
from harness.errors import UsageError

IDLE = Only("delivery", "A connection that is idle for 12 s")
TODAY = End("today's versions", day=date(2026, 11, 1))
PARTS = [f"part{number}" for number in range(6)]
CELL = "py313-django61-channels4"


class Asked(Trials):
    """Trials of which only what they answer is made up, by the versions that are tried."""

    def _once(self, versions):
        self.asked.append(dict(versions))
        found = self.answers(versions)
        return found if isinstance(found, Answer) else Answer(not found, "is closed" if found else "stays open")


class Days:
    """Resolves days as an installer would, which takes it longer."""

    said = "there is no library"

    def __init__(self, index: Index) -> None:
        self.index = index

    def on(self, day: date) -> dict[str, str] | None:
        found = {}
        for name, releases in self.index.releases.items():
            there = [path.name.split("-")[1] for path, uploaded, yanked in releases if uploaded[:10] <= str(day)]
            found |= {name: there[-1]} if there else {}
        return found if "library" in found else None

    def fitting(self, versions):
        """Tell nobody what asks for a package."""


class World:
    """An index whose packages have releases, and searches among them."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder, self.index = folder, index
        self.told: list[str] = []
        self.asked: list[dict[str, str]] = []

    def bisection(self, answers, only: Only = IDLE, words=False, anew=False, really=False) -> Bisection:
        """Return a search in which versions have *answers*; with *really* an installer resolves the days."""
        env = {**os.environ, "UV_CACHE_DIR": str(self.folder / "cache"), "UV_DEFAULT_INDEX": self.index.url}
        notes = Notes(self.folder / "notes.json", ["Django==6.0"], anew)
        trials = Asked(None, only, notes, None, words=words)
        trials.asked, trials.answers = self.asked, answers
        resolver = Resolver(["library"], [], Path(sys.executable), env) if really else Days(self.index)
        python = ".".join(map(str, sys.version_info[:2]))
        return Bisection(trials, resolver, Releases(python, env), self.told.append, frozenset({"django"}))

    def turned(self, cause) -> list[tuple[str, str, str, str]]:
        return [(each.package, each.good, each.bad, each.uploaded) for each in cause.turned]


@pytest.fixture
def world(tmp_path):
    index = Index(tmp_path / "files")
    index.release("library", "1.0", "2025-01-01", ", ".join(PARTS))
    for number, name in enumerate(PARTS):
        index.release(name, "1.0", "2025-01-01")
        index.release(name, "2.0", f"2026-0{number + 1}-10")
        index.release(name, "3.0", f"2026-0{number + 2}-10")
    with index.running():
        yield World(tmp_path, index)


def at_least(name: str, version: str):
    """Return what is bad as soon as *name* is as new as *version*."""
    return lambda versions: versions.get(name, "") >= version


def test_one_guilty_release(world):
    """One release among those of six packages is found without a good end: it is named with its day, and both sets."""
    cause = world.bisection(at_least("part3", "3.0"), really=True).find(None, TODAY)
    assert world.turned(cause) == [("part3", "2.0", "3.0", "2026-05-10")]
    assert cause.text == (
        "part3 3.0 (2026-05-10). A connection that is idle for 12 s: "
        "with part3 2.0 “stays open”, with part3 3.0 “is closed”"
    )
    assert cause.question == "idle-12"
    assert set(cause.bad) - set(cause.good) == {"part3==3.0"}
    assert set(cause.good) - set(cause.bad) == {"part3==2.0"}
    # Doubling back takes four more than a search between ends that are known.
    assert len(world.asked) <= 18
    assert any("It turned between 2026-05-09 and 2026-05-10" in line for line in world.told)
    assert world.told[0] == "  1. bad         as of 2026-11-01: is closed"


def test_guilty_together(world):
    """Two releases that are bad only together are both named, the one that came long before as well."""
    cause = world.bisection(lambda each: each["part1"] >= "2.0" and each["part5"] >= "3.0").find(
        End("2025-06-01", day=date(2025, 6, 1)), TODAY
    )
    assert sorted(world.turned(cause)) == [("part1", "1.0", "2.0", "2026-02-10"), ("part5", "2.0", "3.0", "2026-07-10")]
    assert {"part1==2.0", "part5==3.0"} <= set(cause.bad)


def test_between_sets_of_versions(world):
    """Between two sets of versions the release is found among those that the index has between the two."""
    good = {"library": "1.0", **dict.fromkeys(PARTS, "1.0")}
    bad = {"library": "1.0", **dict.fromkeys(PARTS, "3.0")}
    cause = world.bisection(at_least("part2", "2.0")).find(End("one", versions=good), End("two", versions=bad))
    assert world.turned(cause) == [("part2", "1.0", "2.0", "2026-03-10")]


def test_a_package_that_comes_and_one_that_goes(world):
    """A package that only one end has is named as what it is."""
    good, bad = {"library": "1.0", "part0": "1.0"}, {"library": "1.0", "part1": "1.0"}
    ends = End("one", versions=good), End("two", versions=bad)
    cause = world.bisection(lambda each: "part1" in each).find(*ends)
    assert world.turned(cause) == [("part1", "", "1.0", "")]
    cause = world.bisection(lambda each: "part0" not in each, anew=True).find(*ends)
    assert cause.text.startswith("part0 is no longer installed. ")


def test_what_came_along(world):
    """Packages that came along are no cause that can be kept away: the release that brings them is named."""
    world.index.release("seed", "1.0", "2025-01-01")
    world.index.release("stem", "1.0", "2025-01-01", "seed")
    for version, day in (("2.0", "2026-03-01"), ("3.0", "2026-03-02")):
        world.index.release("library", version, day, ", ".join(["part0", "stem"] if version == "3.0" else ["part0"]))
    world.index.release("library", "4.0", "2026-03-20", "part0, stem")
    cause = world.bisection(lambda each: "seed" in each, really=True).find(None, TODAY)
    assert world.turned(cause) == [("library", "2.0", "3.0", "2026-03-02")]
    assert cause.turned[0].brings == ["seed"]
    assert cause.turned[0].pin == "library<3"
    assert cause.text.startswith(
        "library 3.0 (2026-03-02), which brings seed. A connection that is idle for 12 s: with "
    )
    assert set(cause.bad) - set(cause.good) == {"library==3.0", "seed==1.0", "stem==1.0"}


def test_a_failure_of_another_kind(world):
    """Where a verdict is looked into, what fails otherwise is no answer, and accuses nobody."""

    def answers(versions):
        if versions["part4"] == "2.0":
            return Answer(False, "something else cannot be imported")
        return Answer(versions["part4"] < "3.0", "part4 cannot be imported" if versions["part4"] == "3.0" else "works")

    cause = world.bisection(answers, Only()).find(None, TODAY)
    assert world.turned(cause) == [("part4", "1.0", "3.0", "2026-06-10")]
    assert cause.question == ""


def test_an_answer_in_other_words(world):
    """What is bad in other words is another answer: what turned it into those of today is named, with both."""

    def answers(versions):
        seen = {"1.0": "arrives altered", "2.0": "arrives", "3.0": "does not arrive (2 of 2)"}[versions["part3"]]
        return Answer(versions["part3"] == "2.0", seen)

    cause = world.bisection(answers).find(None, TODAY)
    assert world.turned(cause) == [("part3", "2.0", "3.0", "2026-05-10")]
    assert any("other       as of" in line for line in world.told)

    def altered(versions):
        return Answer(False, "does not arrive after 1.5 s" if versions["part3"] == "3.0" else "arrives altered")

    cause = world.bisection(altered, anew=True).find(None, TODAY)
    assert "with part3 2.0 “arrives altered”, with part3 3.0 “does not arrive after 1.5 s”" in cause.text


@pytest.mark.parametrize("untried", [True, False])
def test_one_that_was_mended_since(world, untried):
    """A release that was mended is not guilty of today's answer, be it told by a trial or not to be had."""

    def answers(versions):
        if untried and versions["part3"] == "1.0" and versions["part5"] == "3.0":
            return Answer(None, "they do not go together")
        return versions["part3"] == "2.0" or versions["part5"] == "3.0"

    cause = world.bisection(answers).find(End("2025-10-20", day=date(2025, 10, 20)), TODAY)
    assert world.turned(cause) == [("part5", "2.0", "3.0", "2026-07-10")]
    assert any("It turned between 2026-04-09 and 2026-04-10" in line for line in world.told)


def test_what_changed_the_words(world):
    """An answer that is as expected has a release as well since which it has these words."""

    def answers(versions):
        return Answer(True, "1048576 bytes" if versions["part1"] >= "3.0" else "more")

    with pytest.raises(NoSearch, match="as expected: 1048576 bytes"):
        world.bisection(answers).find(None, TODAY)
    cause = world.bisection(answers, words=True).find(None, TODAY)
    assert world.turned(cause) == [("part1", "2.0", "3.0", "2026-03-10")]


def test_it_goes_on_where_it_was(world):
    """A search that is broken off asks nothing twice when it is begun again; anew it asks everything."""

    def dies(versions):
        if len(world.asked) > 3:
            raise KeyboardInterrupt
        return at_least("part3", "3.0")(versions)

    with pytest.raises(KeyboardInterrupt):
        world.bisection(dies).find(None, TODAY)
    before = world.asked[:3]
    world.asked.clear()
    again = world.bisection(at_least("part3", "3.0"))
    assert world.turned(again.find(None, TODAY)) == [("part3", "2.0", "3.0", "2026-05-10")]
    assert all(each not in before for each in world.asked)
    assert any("bad, known  as of 2026-11-01" in line for line in world.told)
    world.asked.clear()
    world.bisection(at_least("part3", "3.0"), anew=True).find(None, TODAY)
    assert before[0] in world.asked


def test_answers_that_can_be_chance(world):
    """An answer that can be chance is asked for twice before it is good; once bad is bad."""
    came = iter([Answer(True, "none is lost", True), Answer(False, "some are lost (1 of 2)", True)])
    trials = world.bisection(lambda versions: next(came)).trials
    assert trials.bad({"part0": "1.0"}) is True
    came = iter([Answer(False, "some are lost", True)])
    assert world.bisection(lambda versions: next(came)).trials.bad({"part0": "2.0"}) is True


@pytest.mark.parametrize(
    ("good", "bad", "answers", "said"),
    [
        ("2026-11-01", "2026-11-01", True, "2026-11-01 does not come before 2026-11-01"),
        ("2026-10-01", "2026-11-01", True, "the same is installed as of 2026-10-01 and as of 2026-11-01"),
        ("2026-03-15", "2026-11-01", True, "as of 2026-03-15 the answer is bad, and not good"),
        ("2024-01-01", "2026-11-01", True, "nothing can be installed as of 2024-01-01"),
        ("2026-03-15", "2026-11-01", False, "with 2026-11-01 the answer is as expected"),
        (
            None,
            "2026-11-01",
            True,
            "no release turned it: it was so as of 2025-01-10 already, and as of 2024-12-11 nothing can be installed",
        ),
        (None, "2024-01-01", True, "nothing can be installed as of 2024-01-01"),
        (None, "2026-11-01", Answer(None, "the server did not start"), "there is no answer: the server did not start"),
    ],
)
def test_no_search(world, good, bad, answers, said):
    """Ends that are no good and no bad one, or the same, end in one sentence that says so."""
    ends = [read_end(each, CELL) if each else None for each in (good, bad)]
    with pytest.raises(NoSearch, match=said):
        world.bisection(lambda versions: answers).find(*ends)


def test_sets_that_are_no_ends(world):
    """Two sets that are the same, or a good one that is bad, end so as well; without days one has to be named."""
    one, two = {"library": "1.0", "part0": "1.0"}, {"library": "1.0", "part0": "2.0"}
    for good, said in ((two, "both ends have the same versions"), (one, "with one the answer is bad")):
        with pytest.raises(NoSearch, match=said):
            world.bisection(lambda versions: True).find(End("one", versions=good), End("two", versions=two))
    with pytest.raises(NoSearch, match="name it with --good"):
        world.bisection(lambda versions: True).find(None, End("two", versions=two))


def test_a_release_that_was_withdrawn(world):
    """A release that was withdrawn is neither installed nor named."""
    world.index.release("part2", "2.5", "2026-03-20", yanked=True)
    good = {"library": "1.0", **dict.fromkeys(PARTS, "1.0")}
    bad = {**good, "part2": "3.0"}
    cause = world.bisection(at_least("part2", "2.1")).find(End("one", versions=good), End("two", versions=bad))
    assert world.turned(cause) == [("part2", "2.0", "3.0", "2026-04-10")]
    assert all(each["part2"] != "2.5" for each in world.asked)


def test_releases_that_cannot_be_tried(world):
    """Releases that cannot be installed, such as for want of a wheel, are passed over."""

    def answers(versions):
        return Answer(None, "no wheel") if versions["part2"] == "2.0" else Answer(versions["part2"] < "3.0", "")

    good = {"library": "1.0", **dict.fromkeys(PARTS, "1.0")}
    cause = world.bisection(answers).find(End("one", versions=good), End("two", versions={**good, "part2": "3.0"}))
    assert world.turned(cause) == [("part2", "1.0", "3.0", "2026-04-10")]


def test_ends_in_files(tmp_path):
    """An end is a day, a recorded result, or a file of exact versions; anything else is refused."""
    assert read_end("2026-05-01", CELL) == End("2026-05-01", day=date(2026, 5, 1))
    freeze = tmp_path / "freeze.txt"
    freeze.write_text("# made by hand\nRedis==7.4.0\nchannels_redis==4.3.0 ; python_version > '3'\n-e .\n")
    assert read_end(str(freeze), CELL) == End("freeze.txt", versions={"redis": "7.4.0", "channels-redis": "4.3.0"})
    for text, hint in (("yesterday", "name a day"), (str(tmp_path), "name a day")):
        with pytest.raises(UsageError) as told:
            read_end(text, CELL)
        assert hint in told.value.hint
    freeze.write_text("channels[daphne]==4.3.2\n")
    assert read_end(str(freeze), CELL).versions == {"channels": "4.3.2"}
    for text, said in (
        (b"redis==7.4.0\nredis>=7\n", "has a line that is not of the form name==version: redis>=7"),
        (b"six @ file:///six-1.0-py3-none-any.whl", "has a line that is not of the form"),
        (b"-e .\n", "has no lines of the form"),
        (b"\xff\xfe", "is no file of name==version"),
    ):
        freeze.write_bytes(text)
        with pytest.raises(UsageError, match=said):
            read_end(str(freeze), CELL)


@pytest.mark.parametrize("other", ["py312-django61-channels4", "py313-django61"])
def test_a_result_of_another_kind_is_no_end(tmp_path, other):
    """What was installed for another Python or library is no end; for another Django or server of the same it is."""
    reports = samples.write(tmp_path, other, "py313-django60-channels4")
    with pytest.raises(UsageError, match=f"is of {other}: what fits its Python and library need not fit"):
        read_end(str(reports.result(other)), CELL)
    assert read_end(str(reports.result("py313-django60-channels4")), CELL).versions


def test_a_race(world):
    """Where an answer is chance the good end is asked again, and no release is guilty of what happens there as well."""
    asked: Counter[str] = Counter()

    def answers(versions):
        asked[str(versions)] += 1
        received = versions["part3"] < "3.0" and asked[str(versions)] < 4
        return Answer(received, "is received" if received else "can be lost", True)

    with pytest.raises(NotTurned) as told:
        world.bisection(answers).find(End("2026-01-15", day=date(2026, 1, 15)), TODAY)
    said = "no release turned it: it is a race, and was lost 2 of 3 times as of 2026-01-15 too"
    assert str(told.value) == said
    assert (told.value.cause.turned, told.value.cause.question) == ([], "idle-12")


@pytest.mark.parametrize("only", [IDLE, Only("deployment", "SIGTERM under traffic: messages lost silently")])
def test_a_race_that_was_won(world, only):
    """A good answer that is no chance by itself is asked again, where another one was, or where it is of a deep set."""
    asked: Counter[str] = Counter()

    def answers(versions):
        asked[str(versions)] += 1
        lost = versions["part3"] >= "3.0" or asked[str(versions)] > 1
        # One of two is chance, two of two is not, and so is none of two.
        return Answer(not lost, "some" if lost else "none", only is IDLE and lost)

    with pytest.raises(NotTurned) as told:
        world.bisection(answers, only).find(End("2026-01-15", day=date(2026, 1, 15)), TODAY)
    times = "3 of 3" if only is IDLE else "1 of 1"
    assert str(told.value) == f"no release turned it: it is a race, and was lost {times} times as of 2026-01-15 too"
    assert told.value.cause.turned == []


def test_a_rare_race(world):
    """The rarer a race is lost at the bad end, the more often the good one has to win before a release is guilty."""
    asked: Counter[str] = Counter()

    def answers(versions):
        asked[str(versions)] += 1
        lost = versions["part3"] == "3.0" and asked[str(versions)] % 4 == 1
        return Answer(not lost, "can be lost" if lost else "is received", True)

    cause = world.bisection(answers).find(End("2026-01-15", day=date(2026, 1, 15)), TODAY)
    assert world.turned(cause) == [("part3", "2.0", "3.0", "2026-05-10")]
    assert "It can be chance: lost 1 of 4 times; the good end is asked 16 times more" in world.told
    assert max(asked.values()) == 2 + 16


@pytest.mark.parametrize(
    ("only", "raced"), [(IDLE, True), (Only("deployment", "SIGTERM under traffic: messages lost silently"), False)]
)
def test_a_bad_end_that_was_lucky(world, only, raced):
    """What is recorded as chance, or can be chance, is asked again before today's versions are said to be mended."""
    asked: Counter[str] = Counter()

    def answers(versions):
        asked[str(versions)] += 1
        lost = versions["part3"] == "3.0" and asked[str(versions)] > 1
        return Answer(not lost, "some" if lost else "none")

    search = world.bisection(answers, only)
    search.raced = raced
    cause = search.find(End("2026-01-15", day=date(2026, 1, 15)), TODAY)
    assert world.turned(cause) == [("part3", "2.0", "3.0", "2026-05-10")]
    assert "That it was good was luck: some" in world.told
    search = world.bisection(lambda versions: Answer(True, "none"), only, anew=True)
    search.raced = raced
    times = 13 if raced else 2
    with pytest.raises(AsExpected, match=f"with today's versions the answer is as expected {times} times: none"):
        search.find(None, TODAY)


def test_a_race_that_is_not_lost_again(world):
    """Where the bad end is not bad again, however often it is asked, no release is guilty."""
    asked: Counter[str] = Counter()

    def answers(versions):
        asked[str(versions)] += 1
        lost = versions["part3"] == "3.0" and asked[str(versions)] == 1
        return Answer(not lost, "can be lost" if lost else "is received", True)

    with pytest.raises(NoSearch, match=r"it is a race, and was not lost again in 12 times with part3 3\.0"):
        world.bisection(answers).find(End("2026-01-15", day=date(2026, 1, 15)), TODAY)


def test_a_good_answer_that_was_luck(world):
    """Where one good answer on the way was luck, and the good end is none, the search goes on to the guilty release."""
    asked: Counter[str] = Counter()

    def answers(versions):
        asked[str(versions)] += 1
        # The first release of the guilty package wins for once, in each company.
        lucky = versions["part3"] == "2.0" and asked[str(versions)] <= 2
        return Answer(lucky or versions["part3"] < "2.0", "some (1 of 2)", True)

    search = world.bisection(answers)
    cause = search.find(End("2026-01-15", day=date(2026, 1, 15)), TODAY)
    assert world.turned(cause) == [("part3", "1.0", "2.0", "2026-04-10")]
    assert "That it was good there was luck; the search goes on." in world.told


def test_what_was_mended_and_broken_again(world):
    """What a release broke and its next one mended is not what it comes from now, where another broke it since."""

    def answers(versions):
        return versions["part3"] == "2.0" or versions["part5"] == "3.0"

    ends = End("2026-01-15", day=date(2026, 1, 15)), End("2026-07-20", day=date(2026, 7, 20))
    cause = world.bisection(answers).find(*ends)
    assert world.turned(cause) == [("part5", "2.0", "3.0", "2026-07-10")]
    assert "With 2026-07-20 it is bad without part3 2.0 as well." in world.told


def test_releases_that_may_be_guilty(world):
    """Where releases between the two cannot be tried they are named, and the pin keeps the first of them away."""

    def answers(versions):
        return Answer(None, "no wheel") if versions["part2"] == "2.0" else Answer(versions["part2"] < "3.0", "")

    good = {"library": "1.0", **dict.fromkeys(PARTS, "1.0")}
    cause = world.bisection(answers).find(End("one", versions=good), End("two", versions={**good, "part2": "3.0"}))
    assert cause.text.startswith("part2 3.0 (2026-04-10), or one of 2.0, which could not be tried. ")
    assert (cause.turned[0].untried, cause.turned[0].pin) == (["2.0"], "part2<2")


def test_days_without_an_answer(world):
    """A day that fails otherwise is passed over: what is older may be good, and what is younger as well."""

    def answers(versions):
        if versions["part4"] == "3.0" and versions["part5"] == "2.0":
            return Answer(None, "something else is wrong")
        return Answer(versions["part5"] < "3.0", "")

    cause = world.bisection(answers).find(None, End("2026-07-20", day=date(2026, 7, 20)))
    assert [each.package for each in cause.turned] == ["part5"]
    with pytest.raises(NoSearch, match="nothing older than 2026-07-11 can be tried") as told:
        world.bisection(lambda versions: Answer(None, "") if versions["part5"] < "3.0" else True, anew=True).find(
            None, End("2026-07-11", day=date(2026, 7, 11))
        )
    assert not isinstance(told.value, NotTurned)


def test_innocent_company(world):
    """What was needed in the company of the past, and is not in that of today, is not accused."""

    def answers(versions):
        newer = versions["part2"] >= "2.0" or versions["part4"] >= "2.0"
        return Answer(not (versions["part5"] >= "3.0" and newer), "")

    good = {"library": "1.0", **dict.fromkeys(PARTS, "1.0")}
    bad = {"library": "1.0", **dict.fromkeys(PARTS, "3.0")}
    cause = world.bisection(answers).find(End("one", versions=good), End("two", versions=bad))
    assert [each.package for each in cause.turned] == ["part5"]
