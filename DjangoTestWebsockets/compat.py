"""The differences between Django 1.8 and 6.x that this project meets, all in one place."""

import django
from django import forms

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

try:
    from django.urls import reverse
except ImportError:  # before Django 1.10
    from django.core.urlresolvers import reverse

__all__ = ["TextField", "is_member", "logging_settings", "middleware_settings", "re_path", "reverse"]


class TextField(forms.CharField):
    """A text that is taken as it is: since Django 1.9 the white space at its ends is cut off unless told otherwise."""

    def __init__(self, **kwargs):
        if django.VERSION >= (1, 9):
            kwargs["strip"] = False
        super(TextField, self).__init__(**kwargs)


def middleware_settings(classes):
    """Return *classes* under the name that this Django reads: it changed with 1.10."""
    if django.VERSION < (1, 10):
        # Before 1.10 this class is what ends the other sessions of a changed password.
        extra = "django.contrib.auth.middleware.SessionAuthenticationMiddleware"
        return {"MIDDLEWARE_CLASSES": list(classes) + [extra]}
    return {"MIDDLEWARE": list(classes)}


def logging_settings(module):
    """Return the logging with which a server written as *module* tells what it has to say.

    It says so in the log of requests, as Django does. Since Django 1.9 that is seen anyway; before, nothing of it is.
    """
    if django.VERSION >= (1, 9):
        return {}
    own = {"()": "django.utils.log.CallbackFilter", "callback": lambda record: record.module == module}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"own": own},
        "handlers": {"own": {"class": "logging.StreamHandler", "filters": ["own"]}},
        "loggers": {"django.request": {"handlers": ["own"], "level": "INFO"}},
    }


def is_member(user):
    """Tell whether *user* is logged in: what says so was a method until Django 1.10."""
    return bool(user.is_authenticated() if callable(user.is_authenticated) else user.is_authenticated)
