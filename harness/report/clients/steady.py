import sys
import time

import websocket

URL = sys.argv[1]


def connect():
    while True:
        try:
            return websocket.create_connection(URL, timeout=1)
        except Exception as error:
            print("%s no connection: %r" % (time.strftime("%X"), error))
            time.sleep(1)


reader, writer = connect(), connect()
time.sleep(1)
for number in range(600):
    try:
        writer.send(str(number))
    except Exception as error:
        print("%s cannot send %d: %r" % (time.strftime("%X"), number, error))
        writer = connect()
    try:
        while reader.recv() != str(number):
            pass
        time.sleep(0.1)
    except websocket.WebSocketTimeoutException:
        print("%s %d does not come within 1 s" % (time.strftime("%X"), number))
    except Exception as error:
        print("%s closed: %r" % (time.strftime("%X"), error))
        reader = connect()
