"""Marks of tests that need a program which is no Python package."""

from __future__ import annotations

import shutil

import pytest

from harness.servers import nginx as proxy

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")

chromium = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="no chromium and chromedriver on PATH; Debian's packages are called that"
)


def _missing() -> str:
    try:
        proxy.find()
    except proxy.NoNginx as error:
        return str(error)
    return ""


_NO_NGINX = _missing()
nginx = pytest.mark.skipif(bool(_NO_NGINX), reason=_NO_NGINX)
