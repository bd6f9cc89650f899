"""The tools of the example `python_env_uv`."""

import importlib.metadata

import readability


def report(text):
    return {
        "sentences": len(readability.sentences(text)),
        "words": len(readability.words(text)),
        "package": importlib.metadata.version("readability"),
    }
