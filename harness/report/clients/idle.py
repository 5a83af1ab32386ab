import sys
import time

import websocket

URL = sys.argv[1]
idle = websocket.create_connection(URL, timeout=12)
began = time.time()
try:
    opcode, frame = idle.recv_data_frame(control_frame=False)
    print("after %.1f s: opcode %d, %r" % (time.time() - began, opcode, frame.data))
except websocket.WebSocketTimeoutException:
    other = websocket.create_connection(URL, timeout=5)
    other.send("are you there?")
    print("stays open, and receives %r" % idle.recv())
except Exception as error:
    print("after %.1f s: %r" % (time.time() - began, error))
