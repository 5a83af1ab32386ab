"""The names of projects, as requirements have them."""

from __future__ import annotations

import pytest

from harness.environments.names import project_of


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("redis", "redis"),
        ("redis<8", "redis"),
        ("uvicorn[standard]", "uvicorn"),
        ("channels[daphne]>=4,<5", "channels"),
        ("Django==5.2.19", "django"),
        ("zope.interface==5.4.0", "zope-interface"),
        ("Zope_Interface", "zope-interface"),
        ("service--identity", "service-identity"),
        ("six ; python_version < '3'", "six"),
        ("tiny @ file:///wheels/tiny-1.0.whl", "tiny"),
        ("/tests/fakes/unbuildable", ""),
        ("./wheels/tiny-1.0-py3-none-any.whl", ""),
        ("", ""),
    ],
)
def test_names(requirement, name):
    """A requirement asks for a project by its normalised name; a path names none."""
    assert project_of(requirement) == name
