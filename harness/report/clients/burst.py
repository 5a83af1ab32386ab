import sys
import time

import websocket

URL = sys.argv[1]
reader = websocket.create_connection(URL, timeout=5)
writer = websocket.create_connection(URL, timeout=5)
time.sleep(1)
for number in range(50):
    writer.send(str(number))
came = 0
try:
    while came < 50:
        reader.recv()
        came += 1
except websocket.WebSocketTimeoutException:
    pass
print("%d of 50 came within 5 s" % came)
