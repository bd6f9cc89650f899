# Who this interpreter is and what is installed, one fact a line: `snakepit:KEY<tab>VALUE`. Arguments: the conda prefix
# or nothing, then lock files. It must run on whatever has taken the interpreter's place, so it is careful.
import sys

# The folder that it runs in is no place to import from.
sys.path = [folder for folder in sys.path if folder not in ("", ".")]
import hashlib
import os
import re
import site
import sysconfig


def say(key, *values):
    line = "snakepit:" + "\t".join((key,) + values) + "\n"
    sys.stdout.buffer.write(line.encode("utf-8", "surrogateescape"))


def full(info):
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info[3])
    return ".".join(map(str, info[:3])) + (level + str(info[4]) if level else "")


def folders():
    library = os.path.dirname(os.__file__)
    named = os.path.join("lib", os.path.basename(library))
    own = [library] + [os.path.join(prefix, named) for prefix in (sys.exec_prefix, sys.base_exec_prefix)]
    own += [os.path.join(folder, "lib-dynload") for folder in own]
    found = [folder for folder in sys.path if folder not in own and os.path.isdir(folder)]
    return found + [folder for folder in site.getsitepackages() if folder not in found]


def names(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def version_of(entry, name):
    """Of one entry of a folder of distributions: its name, and its version if its metadata is there."""
    stem, end = os.path.splitext(name)
    parts = stem.split("-")
    file = entry
    if end == ".dist-info":
        if len(parts) < 2:
            return None
        version, file = stem.partition("-")[2], os.path.join(entry, "METADATA")
    elif end == ".egg-info":
        version = parts[1] if len(parts) > 1 else ""
        if os.path.isdir(entry) and os.listdir(entry):
            file = os.path.join(entry, "PKG-INFO")
    else:
        return None
    if not version and os.path.isfile(file):
        with open(file, encoding="utf-8", errors="replace") as text:
            for line in text:
                if not line.strip():
                    break
                key, _, value = line.partition(":")
                if key.lower() == "version":
                    version = value.strip()
    there = version and (file == entry or os.path.isfile(file))
    return normalized(parts[0]), version if there else None


def normalized(name):
    return re.sub("[-_.]+", "-", name).lower()


def distributions(conda):
    found = {}
    for folder in folders():
        for name in names(folder):
            known = version_of(os.path.join(folder, name), name)
            if known and known[1]:
                found.setdefault(*known)
    for record in names(os.path.join(conda, "conda-meta")) if conda else []:
        parts = record[: -len(".json")].rsplit("-", 2)
        if record.endswith(".json") and len(parts) == 3:
            found.setdefault(normalized(parts[0]), parts[1])
    return found


def digest(path):
    with open(path, "rb") as file:
        return "sha256:" + hashlib.sha256(file.read()).hexdigest()


say("version", full(sys.version_info))
say("implementation", sys.implementation.name)
say("abi", sysconfig.get_config_var("SOABI") or (sys.implementation.cache_tag or "") + getattr(sys, "abiflags", ""))
say("prefix", sys.prefix)
say("base_prefix", sys.base_prefix)
for name, version in sorted(distributions(sys.argv[1]).items()):
    say("distribution", name, version)
for path in sys.argv[2:]:
    if os.path.isfile(path):
        say("lock_file", path, digest(path))
say("end")
