"""What every test of the repository may use, and where the platforms' published specifications lie, if they do."""

from __future__ import annotations

import os
from pathlib import Path

pytest_plugins = ["kit.testing.plugin", "kit.testing.services"]

# They are not ours to copy: conformance tests run where the folder is, and say so where it is not.
SPECIFICATIONS = Path(__file__).parent.parent / "shared" / "specs"
if SPECIFICATIONS.is_dir():
    os.environ.setdefault("SIGNOFF_SPECS", str(SPECIFICATIONS))
