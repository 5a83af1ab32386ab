"""The releases that an index has of a project: in order, for one Python, with days, without what was withdrawn."""

from __future__ import annotations

import pytest
from indexes import Index

from harness.causes.releases import Release, Releases
from harness.errors import HarnessError


@pytest.fixture
def index(tmp_path):
    made = Index(tmp_path / "files")
    for version, day in (
        ("1.0", "2026-01-05"),
        ("1.10", "2026-03-05"),
        ("1.9", "2026-02-05"),
        ("2.0rc1", "2026-04-01"),
    ):
        made.release("helper", version, day)
    made.release("helper", "1.9.1", "2026-02-10", yanked=True)
    with made.running():
        yield made


def releases(index: Index, **env: str) -> Releases:
    return Releases("3.11", {"UV_DEFAULT_INDEX": index.url, **env})


def test_in_order(index):
    """They come in the order of versions, not of letters; neither early ones nor those that were withdrawn."""
    assert releases(index).of("helper") == [
        Release("1.0", "2026-01-05"),
        Release("1.9", "2026-02-05"),
        Release("1.10", "2026-03-05"),
    ]


def test_between(index):
    """Both ends are part of what is between them, also where the index does not have them any more."""
    found = releases(index).between("helper", "0.9", "1.9")
    assert [each.version for each in found] == ["0.9", "1.0", "1.9"]
    assert found[0].uploaded == ""


def test_without_times(index):
    """An index that does not say when files were uploaded has releases without days."""
    index.times = False
    assert {each.uploaded for each in releases(index).of("helper")} == {""}


def test_out_of_reach():
    """An index that does not answer is said to be out of reach, with what to look at."""
    with pytest.raises(HarnessError, match="cannot be asked for the releases of helper") as told:
        Releases("3.11", {"UV_DEFAULT_INDEX": "http://127.0.0.1:1/simple/"}).of("helper")
    assert "UV_DEFAULT_INDEX" in told.value.hint


def test_of_every_python(index):
    """Without a Python the releases of all are there, each with the Pythons that it says it runs on."""
    found = Releases("", {"UV_DEFAULT_INDEX": index.url}).of("helper")
    assert [each.version for each in found] == ["1.0", "1.9", "1.10"]


def test_all_indexes(index, tmp_path):
    """All that uv asks is asked: further indexes, also by a name, and folders of wheels."""
    other = Index(tmp_path / "others")
    other.release("other", "1.0", "2026-01-05")
    other.release("other", "2.0", "2026-02-05")
    with other.running():
        for variable, value in (("UV_INDEX", f"mine={other.url}"), ("UV_EXTRA_INDEX_URL", other.url)):
            found = releases(index, **{variable: value})
            assert [each.version for each in found.of("other")] == ["1.0", "2.0"]
            assert found.of("helper")
    assert [each.version for each in releases(index, UV_FIND_LINKS=str(other.folder)).of("other")] == ["1.0", "2.0"]
    named = Releases("3.11", {"UV_DEFAULT_INDEX": f"mine={index.url}"})
    assert named.of("helper") == releases(index).of("helper")


def test_what_no_index_has(index):
    """Of a project that no index names it is not known what lies between two releases."""
    assert releases(index).of("unknown") == []
    with pytest.raises(HarnessError, match="names no releases of unknown"):
        releases(index).between("unknown", "1.0", "5.0")


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_an_index_that_refuses(index, status):
    """An index that does not answer the question has not said that there is nothing new."""
    index.status = status
    with pytest.raises(HarnessError, match=rf"127\.0\.0\.1 answers {status}"):
        releases(index).of("helper")
