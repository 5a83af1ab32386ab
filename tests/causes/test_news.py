"""What was released since a cell was measured, from an index on loopback: each package is asked for once."""

from __future__ import annotations

import msgspec
import pytest
import samples
from indexes import Index

from harness.causes.news import News
from harness.causes.releases import Release, Releases
from harness.errors import HarnessError
from harness.results.result import Result


def of(cell: str, installed_on: str = "2026-11-21", **installed: str) -> Result:
    """Return a cell that has *installed*, and nothing else."""
    result = samples.of(cell)
    versions = msgspec.structs.replace(result.versions, installed=installed)
    varying = msgspec.structs.replace(result.varying, installed_on=installed_on)
    return msgspec.structs.replace(result, versions=versions, varying=varying)


class Asked(Releases):
    """Counts what the index is asked for."""

    def of(self, project: str) -> list[Release]:
        asked.append(project)
        return super().of(project)


asked: list[str] = []


@pytest.fixture
def news(tmp_path):
    asked.clear()
    index = Index(tmp_path / "files")
    index.release("redis", "7.4.1", "2026-01-05")
    index.release("redis", "8.0.0", "2026-11-22")
    index.release("redis", "9.0rc1", "2026-11-23")
    index.release("django", "7.0", "2026-11-23")
    with index.running():
        yield News(Asked("", {"UV_DEFAULT_INDEX": index.url}))


def test_news(news):
    """A release that came since is news to each cell with an older one; an early one or a fixed package is not."""
    results = {
        each.cell: each
        for each in (
            of("py311-django52-channels4", redis="7.4.1", Django="5.2.19"),
            of("py313-django61-channels4", redis="8.0.0"),
            of("py39-django22", redis="7.4.1", installed_on="2026-11-23"),
        )
    }
    assert news.since(results) == {"py311-django52-channels4": ["redis 7.4.1 → 8.0.0"]}
    assert asked == ["redis"]


def test_pythons(news, monkeypatch):
    """What a cell's Python cannot take is no news to it, nor is anything below Python 3.6."""
    newest = Release("8.0.0", "2026-11-22", ">=3.10")
    monkeypatch.setattr(Asked, "of", lambda self, project: [newest])
    results = {each: of(each, redis="7.4.1") for each in ("py27-django18", "py39-django22", "py311-django52-channels4")}
    assert set(news.since(results)) == {"py311-django52-channels4"}


def test_never_tried(news):
    """A cell that was never tried has no versions that could have news."""
    assert news.since({"py33-django18": samples.of("py33-django18")}) == {}


@pytest.mark.parametrize(
    ("there", "said"),
    [(True, "the package index does not say when releases were uploaded"), (False, "has none of the packages")],
)
def test_an_index_that_says_nothing(tmp_path, there, said):
    """An index without days, or without any of the packages, is no index without news."""
    index = Index(tmp_path / "files", times=False)
    index.release("redis" if there else "other", "99.0", "2026-11-22")
    with index.running(), pytest.raises(HarnessError, match=said) as raised:
        News(Releases("", {"UV_DEFAULT_INDEX": index.url})).since({"py39-django22": of("py39-django22", redis="7.4.1")})
    assert "UV_DEFAULT_INDEX" in raised.value.hint


def test_no_network():
    """An index out of reach is said."""
    out_of_reach = News(Releases("", {"UV_DEFAULT_INDEX": "http://127.0.0.1:1/simple/"}))
    with pytest.raises(HarnessError, match="the index cannot be asked for the releases of redis"):
        out_of_reach.since({"py39-django22": of("py39-django22", redis="7.4.1")})
