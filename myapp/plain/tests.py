"""Polling, asked without a server."""

from asgiref.sync import async_to_sync
from django.test import SimpleTestCase

from myapp.plain import polling


class PollingTest(SimpleTestCase):
    def status(self, question):
        answers = []

        async def send(message):
            answers.append(message)

        scope = {"path": "/poll/", "query_string": question}
        async_to_sync(polling.answer)(scope, ["broadcast"], send)
        return answers[0]["status"]

    def test_what_is_no_number(self):
        """A question for what came since something that is no message is refused; without one all is new."""
        self.assertEqual(self.status(b"since=abc"), 400)
        self.assertEqual(self.status(b"since=-1"), 400)
        self.assertEqual(self.status(b"since=3"), 200)
        self.assertEqual(self.status(b""), 200)
