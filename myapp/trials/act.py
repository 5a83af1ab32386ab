"""What happens to a member behind an open connection: ``python -m myapp.trials.act deactivate Mary``.

``expire`` and ``delete`` are about the member's sessions, ``password`` sets another one, ``deactivate`` and ``leave``
are what they say (of a group), ``join`` makes the member one of a thousand groups more, which are called ``crowd-0`` to
``crowd-999``; ``restore`` takes back what can be taken back.
"""

import sys
from datetime import timedelta

import django

PASSWORD = "secret"
GROUP = "chatusers"
CROWD = ["crowd-%d" % number for number in range(1000)]
#: How many rows go into one statement: SQLite takes only so many variables.
_ROWS = 100


def sessions_of(user):
    """Return the sessions in which *user* is logged in."""
    from django.contrib.auth import SESSION_KEY
    from django.contrib.sessions.models import Session

    return [each for each in Session.objects.all() if each.get_decoded().get(SESSION_KEY) == str(user.pk)]


def act(what, name):
    """Do *what* to the member called *name*."""
    from django.contrib.auth.models import Group, User
    from django.utils import timezone

    user = User.objects.get(username=name)
    if what == "delete":
        for session in sessions_of(user):
            session.delete()
    elif what == "expire":
        for session in sessions_of(user):
            session.expire_date = timezone.now() - timedelta(days=1)
            session.save()
    elif what == "password":
        user.set_password("another")
        user.save()
    elif what == "deactivate":
        user.is_active = False
        user.save()
    elif what == "leave":
        user.groups.remove(Group.objects.get(name=GROUP))
    elif what == "join":
        Group.objects.bulk_create([Group(name=name) for name in CROWD], batch_size=_ROWS)
        crowd = list(Group.objects.filter(name__startswith="crowd-"))
        for first in range(0, len(crowd), _ROWS):
            user.groups.add(*crowd[first : first + _ROWS])
    elif what == "restore":
        user.is_active = True
        user.set_password(PASSWORD)
        user.save()
        if name != "admin":
            user.groups.add(Group.objects.get(name=GROUP))
    else:
        raise SystemExit("%s is nothing that can be done to a member" % what)


if __name__ == "__main__":
    django.setup()
    act(*sys.argv[1:])
