"""Large values: they are read and written without more copies than are needed, the memory for them is kept, and
`orjson` takes over, where the environment has it, as far as it does what `json` does.

Its import takes as long as a good part of a start. So it comes when as much JSON was handled as takes about that time.
"""
ENOUGH = 1 << 20
handled = 0
# The longest JSON so far.
longest = 0
# How many values in a row it may fail at before it is left alone.
patience = 64
plain_encode, plain_decode = encode, decode
WIDE = b"0" * 19
ZEROS = bytes(48 if 48 <= byte < 58 else byte for byte in range(256))


def note_large(length):
    """So much JSON more was handled."""
    if length > LIMIT:
        beside = "send a text as `bytes` and numbers as an array, which travel beside it"
        raise Unencodable("%d bytes of JSON are more than the limit of %d: %s" % (length, LIMIT, beside))
    global handled, encode, decode, orjson, ORJSON_OPTIONS
    if length > longest:
        keep_memory(length)
    if handled >= ENOUGH:
        return
    handled += length
    # A module may not be made for an interpreter without GIL, and would bring it back.
    gil = getattr(sys, "_is_gil_enabled", None)
    if handled < ENOUGH or gil is not None and not gil():
        return
    try:
        import orjson

        # What these are left to `values.py`, as it is without it.
        ORJSON_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
    except Exception:
        return
    encode, decode = encode_fast, decode_fast


def encode_fast(value):
    """It refuses what is no JSON of its own accord, and integers and surrogates that `json` takes. For NaN it writes
    `null`, as for `None`: that is left to `json`."""
    global patience
    if patience > 0 and value is not None:
        try:
            body = orjson.dumps(value, None, ORJSON_OPTIONS)
            if b"null" not in body:
                patience = 64
                return body
        except Exception:
            pass
        patience -= 1
    return plain_encode(value)


def decode_fast(text):
    """It makes a float of an integer beyond 64 bits, so what may hold one is left to `json`."""
    if len(text) >= LARGE:
        try:
            data = text.encode()
            if WIDE not in data.translate(ZEROS):
                return orjson.loads(data)
        except Exception:
            pass
    return plain_decode(text)


def keep_memory(length):
    """A value of this length is several times in memory at once: as bytes, as text and decoded. To give all that back
    to the system after each request, and to meet its pages anew, costs as much as the request itself. The C library of
    Linux keeps twice the largest block that was let go of; this one is never touched, and so takes none. More than
    32 MiB it does not keep count of."""
    global longest
    longest = length
    bytes(min(4 * length, 31 << 20))


def read_straight(reader, count):
    """So many bytes, past the reader's buffer; None at the end of input."""
    data = bytearray(count)
    here = min(count, len(reader.buffer) - reader.position)
    data[:here] = reader.buffer[reader.position:reader.position + here]
    reader.position += here
    rest = memoryview(data)[here:]
    while len(rest):
        some = reader.read_into(rest)
        if not some:
            return None
        rest = rest[some:]
    return data


def send_large(head, body):
    with writing:
        write_all([head, memoryview(body)])


def write_all(pieces):
    while pieces:
        sent = os.writev(replies_fd, pieces[:512])
        while pieces and sent >= len(pieces[0]):
            sent -= len(pieces.pop(0))
        if pieces and sent:
            pieces[0] = pieces[0][sent:]
