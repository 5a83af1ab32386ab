"""Serve the chat with gevent: ``python -m myapp.pysocketio.gevent_server 8000``, on loopback."""

from gevent import monkey

monkey.patch_all()

import os
import sys

from gevent import pywsgi
from geventwebsocket.handler import WebSocketHandler


def main():
    os.environ["CHAT_ASYNC_MODE"] = "gevent"
    from myapp.pysocketio.wsgi import application

    server = pywsgi.WSGIServer(("127.0.0.1", int(sys.argv[1])), application, handler_class=WebSocketHandler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.stop(timeout=1)


if __name__ == "__main__":
    main()
