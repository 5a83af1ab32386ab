import sys
import time

import websocket

URL = sys.argv[1]
reader = websocket.create_connection(URL, timeout=5)
writer = websocket.create_connection(URL, timeout=5)
time.sleep(1)
writer.send("many")
for name, client in (("the other one", reader), ("its sender", writer)):
    came = 0
    try:
        while came < 300:
            opcode, data = client.recv_data()
            assert opcode != websocket.ABNF.OPCODE_CLOSE, data
            came += 1
    except Exception as error:
        print("then: %r" % error)
    print("%s: %d of 300 came" % (name, came))
