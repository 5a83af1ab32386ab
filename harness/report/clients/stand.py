import sys
import time

import websocket

URL = sys.argv[1]
client = websocket.create_connection(URL, timeout=60)
began = time.time()
if "EIO=4" in URL:
    client.send("40")
try:
    while True:
        opcode, frame = client.recv_data_frame(control_frame=True)
        print("after %.1f s: opcode %d, %r" % (time.time() - began, opcode, frame.data))
        if "EIO=4" in URL and frame.data == b"2":
            client.send("3")
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            break
except Exception as error:
    print("after %.1f s: %r" % (time.time() - began, error))
