"""How the passwords of the three members are hashed."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class DemoPasswordHasher(PBKDF2PasswordHasher):
    """Django's default with as many rounds as the passwords of ``data.json`` have.

    They are no secret. With Django's own number each is hashed anew when its member first logs in, with a million
    rounds on Django 5.2: half of the processor time that the unit tests of a cell take.
    """

    iterations = 20000
