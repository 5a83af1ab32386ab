import sys
import time

import websocket

client = websocket.create_connection(sys.argv[1], timeout=60)
began = time.time()
try:
    while True:
        frame = client.recv_frame()
        print("after %.1f s: opcode %d, %r" % (time.time() - began, frame.opcode, frame.data))
        if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            break
except Exception as error:
    print("after %.1f s: %r" % (time.time() - began, error))
