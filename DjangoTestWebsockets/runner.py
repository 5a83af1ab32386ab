"""How the cells' Django tests are found."""

import os

from django.apps import apps
from django.conf import settings
from django.test.runner import DiscoverRunner


class ChatTestRunner(DiscoverRunner):
    """Runs the tests of the installed applications of this checkout, unless told which.

    Left to itself Django would look in every folder of the checkout, and import code that is not
    meant for the Python or the library of the cell.
    """

    def build_suite(self, test_labels=None, *args, **kwargs):
        if not test_labels:
            # The environments, with Django's own applications in them, can lie below the checkout.
            own = [app for app in apps.get_app_configs() if app.path == self._place(app.name)]
            test_labels = [app.name + ".tests" for app in own if self._has_tests(app)]
        return super(ChatTestRunner, self).build_suite(test_labels, *args, **kwargs)

    @staticmethod
    def _has_tests(app):
        """Tell whether there is a module or a package of tests."""
        return any(os.path.exists(os.path.join(app.path, *each)) for each in [("tests.py",), ("tests", "__init__.py")])

    @staticmethod
    def _place(name):
        return os.path.join(settings.BASE_DIR, *name.split("."))
