"""Settings that every library's server shares; valid on Django 1.8 to 6.x.

The environment gives what differs from run to run, so that cells can run side by side:

``CHAT_DATABASE``
    The SQLite file; ``db.sqlite3`` in this checkout unless given.
``CHAT_TEST_DATABASE``
    The SQLite file of Django's tests; they have theirs in memory unless given, where no other process sees it.
``CHAT_REDIS_URL``
    The broker; ``redis://127.0.0.1:6379/0`` unless given.
``CHAT_SCRIPT_NAME``
    The path under which a server before this one has the site, such as ``/sub``; none unless given.
``CHAT_PREFIX``
    Goes before every key in the broker, so that runs can share one.
"""

import os

from DjangoTestWebsockets.compat import middleware_settings

BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# A demonstration on loopback: nothing that this key signs is worth anything.
SECRET_KEY = "not-a-secret-this-server-only-ever-listens-on-loopback"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

globals().update(
    middleware_settings(
        [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ]
    )
)

# Where the harness tries what no chat does, the file for what the server's side sees of it; see myapp.trials.
CHAT_TRIALS = os.environ.get("CHAT_TRIALS", "")
if CHAT_TRIALS:
    INSTALLED_APPS.append("myapp.trials.TrialsConfig")

ROOT_URLCONF = "DjangoTestWebsockets.urls"
WSGI_APPLICATION = "DjangoTestWebsockets.wsgi.application"
TEST_RUNNER = "DjangoTestWebsockets.runner.ChatTestRunner"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.static",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("CHAT_DATABASE", os.path.join(BASE_DIR, "db.sqlite3")),
        # Three members log in at once; SQLite lets one write at a time.
        "OPTIONS": {"timeout": 20},
        "TEST": {"NAME": os.environ.get("CHAT_TEST_DATABASE")},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

PASSWORD_HASHERS = ["DjangoTestWebsockets.hashers.DemoPasswordHasher"]

STATIC_URL = "/static/"
LOGIN_URL = "login"
FORCE_SCRIPT_NAME = os.environ.get("CHAT_SCRIPT_NAME")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

CHAT_REDIS_URL = os.environ.get("CHAT_REDIS_URL", "redis://127.0.0.1:6379/0")
CHAT_PREFIX = os.environ.get("CHAT_PREFIX", "chat")
