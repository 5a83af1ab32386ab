import sys

import websocket

URL = sys.argv[1]
writer = websocket.create_connection(URL, timeout=5)
lost = 0
for number in range(20):
    reader = websocket.create_connection(URL, timeout=1)
    writer.send("message %d" % number)
    try:
        reader.recv()
    except websocket.WebSocketTimeoutException:
        lost += 1
    reader.close()
print("%d of 20 were lost" % lost)
