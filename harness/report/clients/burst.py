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
        opcode, data = reader.recv_data()
        assert opcode != websocket.ABNF.OPCODE_CLOSE, data
        came += 1
except Exception as error:
    print("then: %r" % error)
print("%d of 50 came within 5 s" % came)
