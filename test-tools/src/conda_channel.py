"""Makes a channel with two packages, and with py-rattler an environment of them.

usage: conda_channel.py FOLDER PREFIX PYTHON [PACKAGE...]

`python` starts the interpreter PYTHON; `settings` has an activation script, variables and no Python.
"""

import asyncio
import io
import json
import os
import pathlib
import sys
import tarfile

import rattler
from rattler.index import index_fs

folder, prefix, python = map(pathlib.Path, sys.argv[1:4])
wanted = sys.argv[4:]
channel = folder / "channel"

PACKAGES = {
    "python": ("3.12.1", {"bin/python": f'#!/bin/sh\nexec "{python}" "$@"\n'}),
    "settings": (
        "1.0",
        {
            "etc/conda/activate.d/settings.sh": (
                'export SETTINGS_HOME="$CONDA_PREFIX/share"\n'
                'export SETTINGS_PATH="$CONDA_PREFIX/lib${SETTINGS_PATH:+:$SETTINGS_PATH}"\n'
                'export PATH="$CONDA_PREFIX/tools:$PATH"\n'
                "echo chatter\n"
            ),
            "etc/conda/env_vars.d/settings.json": json.dumps({"SETTINGS_LEVEL": "3"}),
        },
    ),
}


def pack(name, version, files):
    noarch = channel / "noarch"
    noarch.mkdir(parents=True, exist_ok=True)
    index = {
        "name": name, "version": version, "build": "0", "build_number": 0, "depends": [],
        "subdir": "noarch", "noarch": "generic", "license": "MIT",
    }
    paths = [{"_path": path, "path_type": "hardlink"} for path in sorted(files)]
    content = {
        "info/index.json": json.dumps(index),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}),
        **files,
    }
    with tarfile.open(noarch / f"{name}-{version}-0.tar.bz2", "w:bz2") as archive:
        for path, text in content.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text.encode()), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))


async def main():
    for name, (version, files) in PACKAGES.items():
        pack(name, version, files)
    await index_fs(channel)
    records = await rattler.solve([rattler.Channel(channel.as_uri())], wanted, platforms=["noarch"])
    await rattler.install(records, target_prefix=prefix, cache_dir=folder / "cache", show_progress=False)


asyncio.run(main())
# py-rattler's own threads may outlive the interpreter, which then aborts, one time in ten: everything is written, so
# leave without taking the interpreter down.
os._exit(0)
