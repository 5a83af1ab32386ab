import sys
import time

import websocket

URL = sys.argv[1]
crowd = []
for number in range(100):
    try:
        crowd.append(websocket.create_connection(URL, timeout=10))
    except Exception as error:
        print("socket %d: %r" % (number, error))
time.sleep(1)
crowd[0].send("to all")
came = 0
for client in crowd:
    try:
        came += client.recv() == "to all"
    except Exception as error:
        print("%r" % error)
print("%d of 100 received it" % came)
