"""Source archives are downloaded as they are, from an index of this machine, and nothing of them is run."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import sys
import threading

import pytest

from harness.environments import archives
from harness.environments.archives import NotFetched, fetch

DATA = b"a source archive, as far as anybody looks"


class Index(http.server.ThreadingHTTPServer):
    """A simple index (PEP 503) with one project."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.files = {"tiny-1.0.tar.gz": DATA, "tiny-2.0.tar.gz": b"newer", "tiny-1.0-py3-none-any.whl": b"a wheel"}
        self.digest = f"#sha256={hashlib.sha256(DATA).hexdigest()}"
        self.asked: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments): ...

    def do_GET(self) -> None:
        index = self.server
        index.asked.append(self.path)
        name = self.path.rpartition("/")[2]
        if self.path == "/simple/tiny/":
            links = (f'<a href="/files/{each}{index.digest}">{each}</a>' for each in index.files)
            body, kind = f"<html><body>{''.join(links)}</body></html>".encode(), "text/html"
        elif self.path.startswith("/files/") and name in index.files and index.files[name]:
            body, kind = index.files[name], "application/octet-stream"
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def index(monkeypatch):
    with Index() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.base}/simple/")
        monkeypatch.setenv("PIP_FIND_LINKS", "")
        yield server
        server.shutdown()


def test_fetched(index, tmp_path):
    """The archive of exactly that release is downloaded, and no wheel."""
    assert fetch("tiny==1.0", tmp_path) == tmp_path / "tiny-1.0.tar.gz"
    assert (tmp_path / "tiny-1.0.tar.gz").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-1.0.tar.gz"]


@pytest.mark.parametrize("requirement", ["tiny==3.0", "nosuch==1.0"])
def test_nowhere(index, tmp_path, requirement):
    """What no index has is not fetched, and is named as pip would."""
    with pytest.raises(NotFetched, match=f"^ERROR: No matching distribution found for {requirement}$"):
        fetch(requirement, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_one(index, tmp_path):
    """What is not what its index says is not kept."""
    index.files["tiny-1.0.tar.gz"] = b"something else"
    with pytest.raises(NotFetched, match=r"^ERROR: tiny-1\.0\.tar\.gz is not what its index says: another sha256$"):
        fetch("tiny==1.0", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_longer_there(index, tmp_path):
    """What an index lists and does not have any more is not fetched."""
    index.files["tiny-1.0.tar.gz"] = b""
    with pytest.raises(NotFetched, match=r"^ERROR: tiny-1\.0\.tar\.gz: 404 "):
        fetch("tiny==1.0", tmp_path)


def test_without_a_digest(index, tmp_path):
    """An index that says nothing of what a file has to be is believed."""
    index.digest = ""
    assert fetch("tiny==1.0", tmp_path).read_bytes() == DATA


def test_in_a_folder(index, tmp_path, monkeypatch):
    """An archive in a folder that pip is told of is copied from there."""
    links, folder = tmp_path / "links", tmp_path / "wheelhouse"
    links.mkdir()
    folder.mkdir()
    (links / "small-1.0.tar.gz").write_bytes(DATA)
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    assert fetch("small==1.0", folder).read_bytes() == DATA


def test_pips_own_configuration(monkeypatch):
    """What the environment does not say is asked of pip's configuration, each value for itself."""
    asked = []

    def run(command, **options):
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "https://one.example/simple\n https://two.example/simple\n", "")

    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setattr(archives.subprocess, "run", run)
    assert archives.configured("index-url") == ["https://one.example/simple", "https://two.example/simple"]
    assert asked == [[sys.executable, "-m", "pip", "config", "get", "global.index-url"]]
    monkeypatch.setenv("PIP_INDEX_URL", "https://three.example/simple")
    assert archives.configured("index-url") == ["https://three.example/simple"]
    assert len(asked) == 1


def test_the_program(index, tmp_path, monkeypatch, capsys):
    """As a program it ends with 1 where nothing could be fetched, and says why."""
    monkeypatch.setattr(sys, "argv", ["archives", str(tmp_path), "tiny==1.0"])
    assert archives.main() == 0
    monkeypatch.setattr(sys, "argv", ["archives", str(tmp_path), "tiny==9.0"])
    assert archives.main() == 1
    assert capsys.readouterr().err == "ERROR: No matching distribution found for tiny==9.0\n"
