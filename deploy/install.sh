#!/bin/sh
# Install one member of the workspace, and what it needs, into a fresh virtual environment.
#
#   install.sh <member> <environment>     e.g.  install.sh services/publisher /app
#
# Run from the root of the repository with uv on the path. The Dockerfile runs it, and so does a test.
set -eu
member=$1
environment=$2

python3 -m venv --without-pip "$environment"
export VIRTUAL_ENV="$environment"

# The lock constrains: of all that it names, only what the member needs is installed, in the locked version and
# refused if the hash differs. Members are copied in, not linked: the source is not in the image.
uv pip install --quiet --no-editable --compile-bytecode -c requirements.lock "./$member"

# A package the lock does not name would have come in without a hash.
locked=$(mktemp)
sed -n 's/^\([A-Za-z0-9._-]*==[^ ;]*\).*/\1/p' requirements.lock > "$locked"
unlocked=$(uv pip freeze --quiet | grep -v '^signoff-' | grep -vxFf "$locked" || true)
rm "$locked"
if [ -n "$unlocked" ]; then
    echo "not in requirements.lock: $unlocked" >&2
    exit 1
fi
