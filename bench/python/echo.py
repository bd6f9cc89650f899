"""The bare loops that a worker is compared with: frames in, the same frames out, over one socket pair.

`echo.py bytes` returns what it gets; `echo.py json` decodes and encodes it. A frame is a length and so many bytes.
"""
import json
import socket
import struct
import sys

peer = socket.socket(fileno=0)
header = struct.Struct("<I")
with_json = sys.argv[1] == "json"
loads = json.loads
dumps = json.JSONEncoder(separators=(",", ":")).encode
received = b""
while True:
    more = peer.recv(65536)
    if not more:
        break
    received += more
    start = 0
    while len(received) - start >= 4:
        end = start + 4 + header.unpack_from(received, start)[0]
        if end > len(received):
            break
        if with_json:
            body = dumps(loads(received[start + 4:end])).encode()
            peer.sendall(header.pack(len(body)) + body)
        else:
            peer.sendall(received[start:end])
        start = end
    received = received[start:]
