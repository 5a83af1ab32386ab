"""Serve the chat with gevent: ``python -m myapp.pysocketio.gevent_server 8000``, on loopback."""

from gevent import monkey

monkey.patch_all()

import os
import sys
from importlib import import_module

from gevent import pywsgi
from geventwebsocket.handler import WebSocketHandler


def main(module="myapp.pysocketio.wsgi"):
    """Serve the application in *module* on the port that the command line names."""
    os.environ["CHAT_ASYNC_MODE"] = "gevent"
    application = import_module(module).application

    server = pywsgi.WSGIServer(("127.0.0.1", int(sys.argv[1])), application, handler_class=WebSocketHandler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.stop(timeout=1)


if __name__ == "__main__":
    main()
