"""NGINX before a server, as django-websocket-redis' documentation and NGINX's own have it.

Sources: https://django-websocket-redis.readthedocs.io/en/latest/running.html, "Django with Websockets for Redis
behind NGINX using uWSGI", whose sockets are files there, and ports of loopback here; and
https://nginx.org/en/docs/http/websocket.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from string import Template

from harness.servers import front
from harness.system import processes
from harness.system.ports import free_port

#: Names the program, where it is not to be that on PATH.
NGINX = "HARNESS_NGINX"
#: Connections that may come in without :func:`before` being told how many.
_FILES = 1000

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
  upstream chat {
$servers
  }
  server {
    listen 127.0.0.1:$port backlog=1024;
    location $prefix/ { proxy_pass http://chat$onto; proxy_set_header Host $$http_host; }
    location ~ ^$prefix/(ws|socket.io)/ {
      $rewrite
      proxy_http_version 1.1;
      proxy_set_header Host $$http_host;
      proxy_set_header Upgrade $$http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout ${idle}s;
      proxy_pass http://chat;
    }
  }
}
""")


def find() -> str:
    """Return the program.

    Raises:
        NoFront: it is not here.
    """
    return front.find("nginx", NGINX, "nginx-light")


@contextmanager
def before(
    behind: Sequence[int],
    env: Mapping[str, str],
    folder: Path,
    *,
    files: int = _FILES,
    idle: int = 300,
    prefix: str = "",
    strips: bool = True,
) -> Iterator[tuple[int, processes.Child]]:
    """Start NGINX before servers on the ports *behind*; yield its own port, and its process.

    *files* is how many file descriptors it may have: two for each connection. After so many seconds without anything
    from the server (*idle*) it ends a WebSocket. With a *prefix*, such as ``/sub``, what it serves is under that path,
    which it takes away where it *strips*. A server that was away is tried again at once.

    Raises:
        NoFront: it is not here, or does not start.
    """
    program, port = find(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "nginx.conf"
    values = {
        "port": port,
        "servers": "\n".join(f"    server 127.0.0.1:{each} max_fails=0;" for each in behind),
        "files": files,
        "connections": files - 50,
        "idle": idle,
        "prefix": prefix,
        "onto": "/" if prefix and strips else "",
        "rewrite": f"rewrite ^{prefix}(/.*)$ $1 break;" if prefix and strips else "",
    }
    settings.write_text(_SETTINGS.substitute(values), encoding="utf-8")
    with front.running([program, "-p", str(folder), "-c", str(settings)], env, folder, port) as child:
        yield port, child
