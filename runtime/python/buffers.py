"""Bytes and arrays beside the JSON of a frame: as in the host's `tail.rs`."""
LENGTH = Struct("<I")
ALIGNMENT = 16
MOST_FILES = 64
# Types of elements: as numpy writes them, and as `memoryview` does.
FORMATS = {
    "|b1": "?", "|i1": "b", "|u1": "B", "<i2": "h", "<u2": "H", "<i4": "i", "<u4": "I", "<i8": "q", "<u8": "Q",
    "<f4": "f", "<f8": "d", "<f2": "e", "<c8": "Zf", "<c16": "Zd",
}


class Loaded(str):
    """JSON with buffers beside it."""


def decode_loaded(text):
    buffers = text.buffers
    placed = []

    def number(digits):
        if not digits.startswith(NUMBER):
            return float(digits)
        index = int(digits[len(NUMBER):])
        placed.append(index)
        return buffers[index].value()

    value = decoder(number)(text)
    if len(placed) < len(buffers):
        raise ValueError("some bytes or arrays were sent that nothing stands for")
    return value


NUMBER = "1e" + MARK


def receive_files(fd):
    """Reads a descriptor so that files may come with what is read; they are appended to the list that is returned."""
    from _socket import socket, CMSG_SPACE, SCM_RIGHTS

    # It is never closed: the descriptor is the worker's for ever.
    connection = socket(fileno=fd)
    files = []
    room = CMSG_SPACE(4 * MOST_FILES)

    def take(beside):
        for _, kind, data in beside:
            if kind == SCM_RIGHTS:
                files.extend(memoryview(data[:len(data) // 4 * 4]).cast("i"))

    def read(fd, count):
        data, beside, _, _ = connection.recvmsg(count, room)
        if beside:
            take(beside)
        return data

    def read_into(view):
        count, beside, _, _ = connection.recvmsg_into([view], room)
        if beside:
            take(beside)
        return count

    return files, read, read_into


def share(reader):
    """The host has files to send, and waits until they are read with what they come with."""
    if reader.read_some is os.read:
        reader.files, reader.read_some, reader.read_into = receive_files(reader.fd)
    write(frame(0, SHARE, b"null"))


def load(reader, length, extra, count):
    """The JSON of a frame that is not in the buffer yet, with its buffers; None at the end of input."""
    if not reader.fill(length):
        return None
    start = reader.position
    text = str(reader.buffer[start:start + length], "utf-8")
    reader.position += length
    part("large")
    tail = read_straight(reader, extra)
    if tail is None:
        return None
    files = reader.files[:count]
    del reader.files[:count]
    loaded = Loaded(text)
    try:
        loaded.buffers = take_in(memoryview(tail), files)
    finally:
        for file in files:
            os.close(file)
    return loaded


def take_in(tail, files):
    (length,) = LENGTH.unpack_from(tail)
    position = 4 + length
    values = []
    for kind, shape, length, place in decode(str(tail[4:position], "utf-8")):
        if place is None:
            position += -position % ALIGNMENT
            memory = tail[position:position + length]
            position += length
        else:
            memory = copy_in(files[place], length, kind == "bytes")
        values.append(Arrived(kind, shape, memory))
    return values


def copy_in(file, length, as_bytes):
    part("segments")
    return copy_from_host(file, length, as_bytes)


def lend(memory):
    part("segments")
    return lend_to_host(memory)


class Arrived:
    """A buffer that nobody has looked at yet. Which form it gets shows only when the tool's arguments are made."""

    __slots__ = ("kind", "shape", "memory")

    def __init__(self, kind, shape, memory):
        self.kind = kind
        self.shape = shape
        self.memory = memory

    def value(self):
        if self.kind == "bytes":
            return bytes(self.memory)
        numpy = sys.modules.get("numpy")
        if hasattr(numpy, "frombuffer"):
            if 0 in self.shape:
                return numpy.zeros(self.shape, self.kind)
            return numpy.frombuffer(self.memory, self.kind).reshape(self.shape)
        try:
            if 0 in self.shape:
                return memoryview(bytearray()).cast(FORMATS[self.kind])
            return self.memory.cast(FORMATS[self.kind], self.shape)
        except ValueError:
            raise TypeError("an array of type `%s` is taken by numpy alone: import it in the adapter" % self.kind)


def lay_out(value):
    """A buffer as its type, its shape and its bytes. None if it is no buffer."""
    if isinstance(value, (bytes, bytearray)):
        return "bytes", (len(value),), memoryview(value)
    numpy = sys.modules.get("numpy")
    if hasattr(numpy, "ndarray") and isinstance(value, numpy.ndarray):
        return lay_out_array(numpy, value)
    try:
        view = memoryview(value)
    except TypeError:
        return None
    signed = {"b": "i", "h": "i", "i": "i", "l": "i", "q": "i", "n": "i"}
    unsigned = {"B": "u", "H": "u", "I": "u", "L": "u", "Q": "u", "N": "u", "c": "u"}
    others = {"?": "b", "e": "f", "f": "f", "d": "f", "Zf": "c", "Zd": "c"}
    letter = view.format[1:] if view.format[0] in "@=<" else view.format
    kind = signed.get(letter) or unsigned.get(letter) or others.get(letter)
    if kind is None or sys.byteorder != "little":
        raise Unencodable("an array with elements of format `%s` cannot be sent" % view.format)
    name = "%s%s%d" % ("|" if view.itemsize == 1 else "<", kind, view.itemsize)
    flat = view.c_contiguous and view.nbytes > 0
    return name, view.shape, view.cast("B") if flat else memoryview(view.tobytes())


def lay_out_array(numpy, array):
    kind = array.dtype.newbyteorder("<").str
    if kind not in FORMATS:
        raise Unencodable("an array with elements of type `%s` cannot be sent" % array.dtype)
    if type(array).__name__ == "MaskedArray":
        raise Unencodable("a masked array cannot be sent: fill it first")
    # Copied only if its elements do not lie one behind the other.
    flat = numpy.ascontiguousarray(array, kind).reshape(-1)
    return kind, array.shape, memoryview(flat.view("u1"))


class Packed(bytes):
    """JSON with buffers beside it, on its way out."""


def pack(text, found):
    """The text with these buffers, which were laid out."""
    directory, inline, files = [], [], []
    size = 0
    for kind, shape, memory in found:
        place = None
        if shares and len(memory) >= share_from and len(files) < MOST_FILES:
            try:
                files.append(lend(memory))
                place = len(files) - 1
            except OSError:
                # Such as when too many are open: it goes the other way.
                pass
        if place is None:
            inline.append(memory)
        directory.append([kind, list(shape), len(memory), place])
    directory = encode(directory)
    pieces = [LENGTH.pack(len(directory)), directory]
    size = 4 + len(directory)
    for memory in inline:
        missing = -size % ALIGNMENT
        pieces += [bytes(missing), memory]
        size += missing + len(memory)
    if len(text) + size > LIMIT:
        smaller = "send them in several calls or as a stream, or the path of a file"
        raise Unencodable("%d bytes of JSON and buffers are more than the limit of %d: %s" % (len(text) + size, LIMIT, smaller))
    packed = Packed(text)
    packed.pieces, packed.size, packed.files = pieces, size, files
    return packed


def send_packed(request, kind, body):
    part("large")
    head = HEADER.pack(len(body), body.size, request, kind, len(body.files)) + body
    pieces = [memoryview(head)] + [memoryview(piece) for piece in body.pieces]
    with writing:
        if body.files:
            sent = send_files(pieces[0], [loan.segment.fd for loan in body.files])
            for loan in body.files:
                loan.sent = True
            pieces[0] = pieces[0][sent:]
        write_all(pieces)


def send_files(data, files):
    global replies_socket
    from _socket import socket, SOL_SOCKET, SCM_RIGHTS

    if replies_socket is None:
        replies_socket = socket(fileno=replies_fd)
    rights = b"".join(file.to_bytes(4, sys.byteorder) for file in files)
    return replies_socket.sendmsg([data], [(SOL_SOCKET, SCM_RIGHTS, rights)])


replies_socket = None
