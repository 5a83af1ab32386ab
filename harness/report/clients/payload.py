import sys
import time

import websocket

URL, KIND = sys.argv[1:]
TEXTS = {
    "hello": "hello",
    "non-ascii-text": "Gr\xfc\xdfe nach \u0391\u03b8\u03ae\u03bd\u03b1",
    "emoji": "\U0001f642 \U0001f469\u200d\U0001f469\u200d\U0001f467",
    "quotes": "\"double\" 'single' `back` \\ slash",
    "markup": "<b onclick='x()'>&amp; *bold*</b>",
    "empty-text": "",
    "40-kb": "x" * 40000,
    "200-kb": "x" * 200000,
    "200-kb-fragments": "x" * 200000,
    "long-page": "x" * 140000,
    "binary": bytes(bytearray(range(256))),
}
data = TEXTS[KIND]
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
