import sys
import time

import websocket

URL, KIND = sys.argv[1:]
TEXTS = {
    "non-ascii-text": "gr\xfc\xdfe",
    "emoji": "\U0001f600",
    "empty-text": "",
    "200-kb": "x" * 200000,
    "200-kb-fragments": "x" * 200000,
    "long-page": "x" * 140000,
    "binary": b"\x00\xff\xfe",
}
data = TEXTS.get(KIND, KIND)
opcode = websocket.ABNF.OPCODE_BINARY if KIND == "binary" else websocket.ABNF.OPCODE_TEXT
reader = websocket.create_connection(URL, timeout=5)
writer = websocket.create_connection(URL, timeout=5)
time.sleep(1)
if KIND.endswith("fragments"):
    half = len(data) // 2
    writer.send_frame(websocket.ABNF.create_frame(data[:half], opcode, 0))
    writer.send_frame(websocket.ABNF.create_frame(data[half:], websocket.ABNF.OPCODE_CONT, 1))
else:
    writer.send(data, opcode)
try:
    while True:
        seen = reader.recv()
        print("unaltered" if seen == data else "%d characters: %r" % (len(seen), seen[:40]))
except Exception as error:
    print("then: %r" % error)
