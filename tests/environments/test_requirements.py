"""What a project asks an installer for."""

from __future__ import annotations

import pytest

from harness.environments.requirements import left_out, read
from harness.errors import UsageError


@pytest.fixture
def project(tmp_path):
    """A project that can be installed, with files of requirements."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "my-site"\nversion = "1"\n')
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.txt").write_text("redis  # the layer\n-e ..[extra]\n")
    (tmp_path / "r.txt").write_text(
        "# what is needed\n-r more/base.txt\nDjango>=5\nchannels[daphne]==4.2.0 --hash=sha256:aa\n-c c.txt\n"
        'tomli; python_version < "3.11"\n--index-url https://example.invalid/\n'
    )
    (tmp_path / "c.txt").write_text("redis<8\n")
    return tmp_path


def test_files(project):
    """Files name others; Django is the cell's own; a folder is an address; what is said of hashes is left out."""
    site = f"my-site[extra] @ {project.resolve().as_uri()}"
    wanted = ["redis", site, "channels[daphne]==4.2.0", "redis<8", 'tomli ; python_version < "3.11"']
    assert read(["-r r.txt"], project) == wanted
    assert read(["--requirement=r.txt"], project) == wanted


def test_the_django_of_a_project(project):
    """What is left out is named where it is a version; that Django is needed says nothing."""
    assert left_out(["-r r.txt", "django", "channels"], project) == ["Django>=5"]


def test_addresses_in_files(project):
    """An address keeps its marker, its digest and its folder; only the name in its fragment is one by itself."""
    (project / "addresses.txt").write_text(
        "channels @ https://example.invalid/c.zip#sha256=aa ; python_version >= '3.9'\n"
        "git+https://example.invalid/x.git@main#egg=redis&subdirectory=py ; sys_platform == 'linux'\n"
        '-e ./more/../ ; python_version >= "3.9"\n'
    )
    assert read(["-r addresses.txt"], project) == [
        'channels @ https://example.invalid/c.zip#sha256=aa ; python_version >= "3.9"',
        'redis @ git+https://example.invalid/x.git@main#subdirectory=py ; sys_platform == "linux"',
        f'my-site @ {project.resolve().as_uri()} ; python_version >= "3.9"',
    ]


def test_paths_in_files(project):
    """A path in a file is one from its folder on, also where it names what is there."""
    wheel = project / "more" / "foo-1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    (project / "more" / "paths.txt").write_text("./foo-1.0-py3-none-any.whl\n-e ../#egg=my-site\n")
    assert read(["-r more/paths.txt"], project) == [
        f"foo @ {wheel.resolve().as_uri()}",
        f"my-site @ {project.resolve().as_uri()}",
    ]


def test_words(project):
    """Requirements and folders stand as they are typed."""
    assert read(["channels>=4 'redis<8'", "-e ."], project) == [
        "channels>=4",
        "redis<8",
        f"my-site @ {project.resolve().as_uri()}",
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("-r none.txt", "there is no file of requirements"),
        ("--pre", "--pre is no requirement"),
        ("chan nels>>4", "is nothing that can be installed"),
        ("-r bad.txt", "bad.txt, line 2: 'not one at all' is no requirement"),
    ],
)
def test_what_is_none(project, asked, said):
    """What is no requirement is said, with its line."""
    (project / "bad.txt").write_text("redis\nnot one at all\n")
    with pytest.raises(UsageError) as raised:
        read([asked], project)
    assert said in str(raised.value)
