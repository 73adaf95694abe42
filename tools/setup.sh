#!/bin/sh
# Makes the virtual environment that the Makefile's targets run in: `core` to run Amiss, `dev` to
# work on it. Does nothing, quickly, when that has been done and no list of packages has changed.
# PYTHON names the interpreter, AMISS_VENV the folder (.venv here otherwise).
set -eu
cd "$(dirname "$0")/.."
what=$1
venv=${AMISS_VENV:-.venv}

fail() {
    echo "$*" >&2
    exit 2
}

case $what in
core) locks="requirements/build.txt requirements/core.txt" ;;
dev) locks="requirements/dev.txt" ;;
*) fail "usage: tools/setup.sh core|dev" ;;
esac

# What was set up is known by the lists of packages, the interpreter and the place: an editable
# install points at a folder, and folders are moved.
done_for() {
    # shellcheck disable=SC2086
    echo "$(cat $locks pyproject.toml | cksum) $(cksum <"$venv/pyvenv.cfg") $PWD"
}

said() { [ -f "$1" ] && cat "$1"; }

# The first Python of these that is new enough and can make virtual environments.
find_python() {
    old="" bare=""
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else
        set -- python3.13 python3.12 python3.11 python3.14 python3
    fi
    for candidate; do
        version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            old="$candidate, which is Python $version"
        elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            bare="${bare:-$version}"
        else
            python=$candidate
            return
        fi
    done
    if [ "$(uname)" = Darwin ]; then
        remedy="brew install python@3.13"
    else
        remedy="apt install python${bare:-3 python3}-venv"
    fi
    [ -z "$bare" ] || fail "Python $bare is here without its venv module; install it ($remedy) and try again."
    [ -z "$old" ] || fail "Amiss needs Python 3.11 or newer and found only $old; install a newer one, or name it with PYTHON=/path/to/python3."
    [ -z "${PYTHON:-}" ] || fail "PYTHON=$PYTHON is not a Python that runs; name one that is 3.11 or newer."
    fail "Amiss needs Python 3.11 or newer and found none; install it ($remedy), or name it with PYTHON=/path/to/python3."
}

make_venv() {
    find_python
    if [ -e "$venv/pyvenv.cfg" ]; then
        rm -f "$venv"/.amiss-*
    elif [ -n "$(ls -A "$venv" 2>/dev/null)" ]; then
        fail "$venv is not empty and not a virtual environment; name another folder with AMISS_VENV."
    fi
    echo "Setting up in $venv with $python: once, a minute or two."
    "$python" -m venv --clear "$venv"
}

# An interpreter that was asked for by name and is not the one in the folder.
other_python() {
    [ -n "${PYTHON:-}" ] || return 1
    full='import sys; print(sys.version)'
    [ "$("$PYTHON" -c "$full" 2>/dev/null)" != "$("$venv/bin/python" -c "$full")" ]
}

# What runs is all that is installed: no user's site, no configuration that would move it.
pip() { PIP_USER=0 "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }

if [ ! -x "$venv/bin/python" ] || other_python; then make_venv; fi

if [ "$(said "$venv/.amiss-$what")" != "$(done_for)" ]; then
    quiet=-q
    if [ -t 1 ]; then quiet=""; fi
    wanted=""
    for lock in $locks; do wanted="$wanted -r $lock"; done
    # shellcheck disable=SC2086
    pip install $quiet --no-compile --require-hashes $wanted
    # on all cores and without the packages' own tests: a third faster and 70 MB less than pip does
    "$venv/bin/python" -m compileall -q -j 0 -x '/tests?/' "$venv/lib" || :
    pip install -q --no-deps --no-build-isolation -e .
    if [ "$what" = dev ]; then done_for >"$venv/.amiss-dev"; fi
    # dev.txt holds all of core.txt, so core is done either way
    locks="requirements/build.txt requirements/core.txt"
    done_for >"$venv/.amiss-core"
fi

# Kernels are compiled here and not when the first number comes; what they become is kept in the
# user's cache under a name that changes with their source.
kernels() { find src/amiss -name '*.py' -exec grep -l 'amiss.kernel import' {} + | sort | xargs cat | cksum; }
if [ "$(said "$venv/.amiss-kernels")" != "$(kernels) $PWD" ]; then
    echo "Compiling the kernels: once, half a minute."
    "$venv/bin/python" -m amiss.warm
    echo "$(kernels) $PWD" >"$venv/.amiss-kernels"
fi
