#!/bin/sh
# Makes the folder `bundle`: a Python that can be moved, the Python code, and the program.
#
#     ./bundle.sh [PYTHON]
#
# PYTHON is the interpreter to take; without it the first that can be moved: one that uv installed, or the machine's.
# `CARGO_FLAGS` goes to `cargo build`, by default `--release`.
set -eu

cd "$(dirname "$0")"
bundle=$PWD/bundle
flags=${CARGO_FLAGS---release}

# Copies an interpreter with its standard library and libraries, and proves that the copy needs nothing of the original.
take() {
    rm -rf "$bundle"
    mkdir -p "$bundle/python/bin" "$bundle/python/lib"
    # The base of a virtual environment; the program behind links, and its standard library.
    "$1" -I -c '
import os, sys
print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
print(os.path.dirname(os.__file__))
print(sys.base_prefix)' > "$bundle/origin" || return 1
    { read -r program; read -r library; read -r prefix; } < "$bundle/origin"
    rm "$bundle/origin"
    cp -L "$program" "$bundle/python/bin/python3"
    cp -RL "$library" "$bundle/python/lib/"
    for shared in "$prefix"/lib/libpython*.so*; do
        if [ -e "$shared" ]; then cp -P "$shared" "$bundle/python/lib/"; fi
    done
    copy=$bundle/python/lib/$(basename "$library")
    # Distributions of the original, and what only builds other programs.
    rm -rf "$copy/site-packages" "$copy/dist-packages" "$copy/test" "$copy"/config-*
    find "$copy" -name __pycache__ -prune -exec rm -rf {} +
    "$bundle/python/bin/python3" -I - "$bundle/python" "$prefix" <<'PROOF'
import sys

copy, original = sys.argv[1:]
loaded = open("/proc/self/maps").read() if sys.platform == "linux" else ""
own = [sys.prefix, sys.base_prefix] + sys.path
if not all(path.startswith(copy) for path in own):
    sys.exit("its paths lead back: " + ", ".join(own))
if original not in ("/usr", "/usr/local") and original + "/" in loaded:
    sys.exit("it loads its library from " + original)
PROOF
}

for python in "${1:-$(uv python find --managed-python --no-python-downloads 2>/dev/null || true)}" /usr/bin/python3 python3; do
    if [ -n "$python" ] && command -v "$python" >/dev/null; then
        if take "$python"; then
            found=$python
            break
        fi
        echo "$python cannot be moved" >&2
    fi
    # One that was named is the one that is meant.
    if [ $# -gt 0 ]; then break; fi
done
if [ -z "${found-}" ]; then
    echo "no Python that can be moved: name one, such as the answer of \`uv python install && uv python find\`" >&2
    exit 1
fi

cp -R python "$bundle/app"
# The build looks at the Python in the bundle; paths in the program start at the bundle.
# shellcheck disable=SC2086
cargo build $flags
mkdir "$bundle/bin"
case "$flags" in *--release*) profile=release ;; *) profile=debug ;; esac
cp "${CARGO_TARGET_DIR:-target}/$profile/embedded" "$bundle/bin/"
echo "made $bundle of $found: move it wherever you like, and run bin/embedded"
