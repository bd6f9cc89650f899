"""JSON for a Python whose `json` is made in another way than CPython's."""
import json


def public_codec():
    """As `codec`."""

    def decoder(parse_float):
        return json.JSONDecoder(parse_float=parse_float).decode

    def encoder(default):
        # A cycle is a `RecursionError`, as with the private names.
        return json.JSONEncoder(default=default, separators=(",", ":"), allow_nan=False, check_circular=False).encode

    return decoder, lambda default: lambda value: encoder(default)(value).encode()
