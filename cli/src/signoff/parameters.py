"""Parameters that several groups of commands take, so that they are called and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

DATA = Path(".signoff")

Data = Annotated[Path, Parameter(help="The folder of the installation.")]
Yes = Annotated[bool, Parameter(negative=(), help="Do it without asking.")]
DryRun = Annotated[bool, Parameter(negative=(), help="Say what would be done, and do nothing.")]
