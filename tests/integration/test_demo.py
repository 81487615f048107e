"""`signoff demo` as everybody starts it: one command, every check passed, nothing left behind."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

SIGNOFF = str(Path(sys.executable).with_name("signoff"))


def test_the_demo_passes_every_check(tmp_path: Path):
    # A short path of its own, so that what is left behind can be seen; a Unix socket takes no long one.
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        Path(folder).chmod(0o711)
        done = subprocess.run(
            [SIGNOFF, "demo"],
            env={"PATH": "/usr/bin:/bin", "TMPDIR": folder, "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert list(Path(folder).iterdir()) == []
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    verdict = re.search(r"(\d+) of (\d+) checks passed in [\d.]+ s", done.stdout)
    assert verdict is not None
    assert verdict[1] == verdict[2]
    assert int(verdict[1]) > 30
    assert list(tmp_path.iterdir()) == []
