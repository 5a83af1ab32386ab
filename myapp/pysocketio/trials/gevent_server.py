"""Serve it with gevent: ``python -m myapp.pysocketio.trials.gevent_server 8000``, on loopback."""

from myapp.pysocketio import gevent_server

if __name__ == "__main__":
    gevent_server.main("myapp.pysocketio.trials.wsgi")
