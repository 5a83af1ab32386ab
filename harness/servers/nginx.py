"""NGINX before a server, as django-websocket-redis' documentation deploys it.

Source: https://django-websocket-redis.readthedocs.io/en/latest/running.html, "Django with Websockets for Redis
behind NGINX using uWSGI"; its sockets are files there, and ports of loopback here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from string import Template

from harness.system import processes
from harness.system.ports import free_port
from harness.system.waiting import wait_until

#: Names the program, where it is not to be that on PATH.
NGINX = "HARNESS_NGINX"

_START_DEADLINE = 10.0
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")

_SETTINGS = Template("""\
daemon off;
pid nginx.pid;
error_log stderr;
worker_processes 1;
worker_rlimit_nofile $files;
events { worker_connections $connections; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:$port backlog=1024;
    location / { proxy_pass http://127.0.0.1:$behind; proxy_set_header Host $$http_host; }
    location /ws/ {
      proxy_http_version 1.1;
      proxy_set_header Host $$http_host;
      proxy_set_header Upgrade $$http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout 300s;
      proxy_pass http://127.0.0.1:$behind;
    }
  }
}
""")


class NoNginx(Exception):
    """There is no NGINX, or it does not start; the message says what to do."""


def find() -> str:
    """Return the program.

    Raises:
        NoNginx: it is not here.
    """
    wanted = os.environ.get(NGINX) or "nginx"
    found = shutil.which(wanted) or shutil.which(wanted, path=os.pathsep.join(_PLACES))
    if found is None:
        raise NoNginx(f"there is no nginx; install Debian's package nginx-light, or name the program in {NGINX}")
    return found


@contextmanager
def before(behind: int, env: Mapping[str, str], folder: Path, files: int) -> Iterator[tuple[int, processes.Child]]:
    """Start NGINX before the server on port *behind*; yield its own port, and its process.

    *files* is how many file descriptors it may have: two for each connection.

    Raises:
        NoNginx: it is not here, or does not start.
    """
    program, port = find(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "nginx.conf"
    settings.write_text(_SETTINGS.substitute(port=port, behind=behind, files=files, connections=files - 50))
    log = folder / "nginx.log"
    with processes.started([program, "-p", str(folder), "-c", str(settings)], dict(env), folder, log) as child:
        wait_until(lambda: child.listens_on(port) or child.exit_status is not None, _START_DEADLINE)
        if not child.listens_on(port):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines() or ["it says nothing"]
            raise NoNginx(f"nginx does not start: {lines[-1]}")
        yield port, child
