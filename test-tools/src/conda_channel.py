"""Makes a channel with two packages, and with py-rattler an environment of them.

usage: conda_channel.py FOLDER PREFIX PYTHON [PACKAGE...]

`python` holds the interpreter PYTHON with its standard library; `settings` has an activation script, variables and no
Python.
"""

import asyncio
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile

import rattler
from rattler.index import index_fs

folder, prefix, python = map(pathlib.Path, sys.argv[1:4])
wanted = sys.argv[4:]
channel = folder / "channel"

SETTINGS = {
    "etc/conda/activate.d/settings.sh": (
        'export SETTINGS_HOME="$CONDA_PREFIX/share"\n'
        'export SETTINGS_PATH="$CONDA_PREFIX/lib${SETTINGS_PATH:+:$SETTINGS_PATH}"\n'
        'export PATH="$CONDA_PREFIX/tools:$PATH"\n'
        "echo chatter\n"
    ).encode(),
    "etc/conda/env_vars.d/settings.json": json.dumps({"SETTINGS_LEVEL": "3"}).encode(),
}

# An interpreter finds its library from where it stands, so that a copy of both is at home in any prefix. What no worker
# imports is left out: it would take most of the time.
LEFT_OUT = {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo",
            "lib2to3", "ensurepip", "pydoc_data"}


def interpreter():
    ask = "import os, sys, sysconfig; print(os.path.realpath(sys.executable)); print(sysconfig.get_paths()['stdlib'])"
    said = subprocess.check_output([python, "-c", ask + "; print('%d.%d.%d' % sys.version_info[:3])"], text=True)
    program, library, version = said.split("\n")[:3]
    below = "lib/python" + version.rpartition(".")[0]
    files = {"bin/python": pathlib.Path(program).read_bytes(), below + "/site-packages/README.txt": b""}
    for path, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith("config-")]
        for name in names:
            file = pathlib.Path(path, name)
            if file.is_file():
                files[f"{below}/{file.relative_to(library)}"] = file.read_bytes()
    return version, files


def pack(name, version, files):
    noarch = channel / "noarch"
    noarch.mkdir(parents=True, exist_ok=True)
    index = {
        "name": name, "version": version, "build": "0", "build_number": 0, "depends": [],
        "subdir": "noarch", "noarch": "generic", "license": "MIT",
    }
    paths = [{"_path": path, "path_type": "hardlink"} for path in sorted(files)]
    content = {
        "info/index.json": json.dumps(index).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
        **files,
    }
    with tarfile.open(noarch / f"{name}-{version}-0.tar.bz2", "w:bz2", compresslevel=1) as archive:
        for path, data in content.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))


async def main():
    if "python" in wanted:
        pack("python", *interpreter())
    pack("settings", "1.0", SETTINGS)
    await index_fs(channel)
    records = await rattler.solve([rattler.Channel(channel.as_uri())], wanted, platforms=["noarch"])
    await rattler.install(records, target_prefix=prefix, cache_dir=folder / "cache", show_progress=False)


asyncio.run(main())
# py-rattler's own threads may outlive the interpreter, which then aborts, one time in ten: everything is written, so
# leave without taking the interpreter down.
os._exit(0)
