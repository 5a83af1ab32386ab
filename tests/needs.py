"""Marks of tests that need a program which is no Python package."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from harness.servers import haproxy as other_proxy
from harness.servers import nginx as proxy
from harness.servers.front import NoFront
from harness.system import postgresql as database

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")

chromium = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="no chromium and chromedriver on PATH; Debian's packages are called that"
)


def _missing(find: Callable[[], object]) -> str:
    try:
        find()
    except (NoFront, database.NoPostgreSQL) as error:
        return str(error)
    return ""


_NO_NGINX, _NO_HAPROXY = _missing(proxy.find), _missing(other_proxy.find)
nginx = pytest.mark.skipif(bool(_NO_NGINX), reason=_NO_NGINX)
haproxy = pytest.mark.skipif(bool(_NO_HAPROXY), reason=_NO_HAPROXY)
_NO_POSTGRESQL = _missing(database.find)
postgresql = pytest.mark.skipif(bool(_NO_POSTGRESQL), reason=_NO_POSTGRESQL)
