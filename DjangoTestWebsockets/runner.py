"""How the cells' Django tests are found."""

import os

from django.apps import apps
from django.conf import settings
from django.test.runner import DiscoverRunner


class ChatTestRunner(DiscoverRunner):
    """Runs the tests of the installed applications of this checkout, unless told which.

    Left to itself Django would look in every folder of the checkout, and import code that is not
    meant for the Python of the cell.
    """

    def build_suite(self, test_labels=None, *args, **kwargs):
        if not test_labels:
            # The environments, with Django's own applications in them, can lie below the checkout.
            test_labels = [app.name for app in apps.get_app_configs() if os.path.dirname(app.path) == settings.BASE_DIR]
        return super(ChatTestRunner, self).build_suite(test_labels, *args, **kwargs)
