import sys
import time

import websocket

URL = sys.argv[1]
reader = websocket.create_connection(URL, timeout=2)
writer = websocket.create_connection(URL, timeout=2)
time.sleep(1)
for burst in range(20):
    for number in range(50):
        writer.send("%d of burst %d" % (number, burst))
    came = 0
    try:
        while came < 50:
            opcode, data = reader.recv_data()
            assert opcode != websocket.ABNF.OPCODE_CLOSE, data
            came += 1
    except Exception as error:
        print("%d of 50 of burst %d came within 2 s, then: %r" % (came, burst, error))
        break
else:
    print("all came")
