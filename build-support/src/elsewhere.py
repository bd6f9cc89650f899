# What is installed where no file can be looked at from outside. Python 3.8 and later. It stands below `inspect.py`,
# which has read the question and made `sys.path` what a worker's is.
import re

# The longest part of a file that is read, in characters.
MOST_READ = 1 << 20


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def headers(file):
    """Of a distribution's metadata, what decides."""
    kept = []
    with open(file, encoding="utf-8", errors="replace") as text:
        for line in text.read(MOST_READ).split("\n"):
            key = line.partition(":")[0].lower()
            if not line.strip():
                break
            if key in ("version", "provides-extra") or key == "requires-dist" and "extra" in line:
                kept.append(line + "\n")
    return "".join(kept)


def read(file):
    try:
        with open(file, encoding="utf-8") as origin:
            return origin.read(MOST_READ)
    except (OSError, ValueError):
        return None


def files():
    """The metadata of all distributions, by normalized name, those first that come first in `sys.path`."""
    found = {}
    for folder in sys.path:
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            stem, kind = os.path.splitext(entry)
            path = os.path.join(folder, entry)
            name = normalized(stem.split("-")[0])
            if kind == ".dist-info":
                found.setdefault(name, []).append(os.path.join(path, "METADATA"))
            elif kind == ".egg-info":
                inside = os.path.join(path, "PKG-INFO") if os.path.isdir(path) else path
                found.setdefault(name, []).append(inside)
    return found


def distributions(names):
    """The named ones, and what their extras may ask for."""
    there, told, names = files(), {}, list(names)
    while names:
        name = normalized(names.pop())
        if name in told:
            continue
        told[name] = None
        for file in filter(os.path.isfile, there.get(name, ())):
            text = headers(file)
            origin = read(os.path.join(os.path.dirname(file), "direct_url.json"))
            told[name] = {"headers": text, "origin": origin}
            names += re.findall(r"(?im)^requires-dist:\s*([a-z0-9._-]+)", text)
            break
    return told


reply(
    {
        "distributions": distributions(question["names"]),
        "folders": [os.path.isdir(folder) for folder in question["python_path"]],
        "adapter": None if question["module"] is None else inspect_adapter(),
    }
)
