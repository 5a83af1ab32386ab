"""A small index of packages on loopback, whose releases have times of upload.

Source: https://packaging.python.org/en/latest/specifications/simple-repository-api/, the JSON form.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from wheels import wheel

_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class Index:
    """Packages with their releases, in wheels in *folder*."""

    folder: Path
    #: Whether files say when they were uploaded; an index need not.
    times: bool = True
    #: What every request is answered with; 200 where it is what was asked for.
    status: int = 200
    releases: dict[str, list[tuple[Path, str, bool]]] = field(default_factory=dict)
    url: str = ""

    def release(
        self,
        name: str,
        version: str,
        day: str,
        requires: str = "",
        yanked: bool = False,
        files: dict[str, str] | None = None,
    ) -> None:
        """Add a release, which was uploaded on *day*, ``2026-01-31``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        made = wheel(self.folder, name, version, requires, files=files)
        self.releases.setdefault(name, []).append((made, f"{day}T12:00:00Z", yanked))

    def page(self, name: str) -> bytes:
        """Return what is known of the package *name*."""
        files = []
        for path, uploaded, yanked in self.releases[name]:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            about = {
                "filename": path.name,
                "url": f"/files/{path.name}",
                "hashes": {"sha256": digest},
                "yanked": yanked,
            }
            files.append(about | ({"upload-time": uploaded} if self.times else {}))
        return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}).encode()

    @contextmanager
    def running(self):
        """Serve it until the block is left."""
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                if index.status != 200:
                    self.send_error(index.status)
                    return
                parts = self.path.strip("/").split("/")
                if parts[0] == "files" and (file := index.folder / parts[-1]).exists():
                    self.answer(file.read_bytes(), "application/octet-stream")
                elif parts[0] == "simple" and parts[-1] in index.releases:
                    self.answer(index.page(parts[-1]), _JSON)
                else:
                    self.send_error(404)

            def answer(self, body: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *arguments) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/simple/"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
