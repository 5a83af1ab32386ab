import sys
import time

import websocket

client = websocket.create_connection(sys.argv[1], timeout=5, origin="http://elsewhere.invalid")
print("let in")
time.sleep(1)
client.send("from elsewhere")
try:
    print("received %r" % client.recv())
except Exception as error:
    print("received nothing: %r" % error)
