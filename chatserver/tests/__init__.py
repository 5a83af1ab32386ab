"""The Django tests of the chat: ``manage.py test chatserver --settings=chatserver.tests.settings``.

Nothing is imported here: the settings are read from this package before there are any models.
"""
