"""Writes the Kubernetes manifests of all services from one description: `python deploy/k8s/render`.

The result is committed, so that it can be read and applied without this script; `--check` ends with 1 if it is not
current. What differs between the services stands in `services.py`, what is the same for all in `parts.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import parts
import yaml
from names import Object

from services import SERVICES

FOLDER = Path(__file__).resolve().parents[1]
HEADER = "# Written by deploy/k8s/render; change it there.\n"


def manifests() -> Mapping[Path, str]:
    """Every generated file with its content; paths are relative to deploy/k8s."""
    files = {Path("base", f"{service.name}.yaml"): _yaml(parts.service_objects(service)) for service in SERVICES}
    files[Path("base", "shared.yaml")] = _yaml(parts.shared_objects(SERVICES))
    files[Path("jobs", "migrate.yaml")] = _yaml(job for s in SERVICES if s.database for job in parts.migrate_jobs(s))
    files[Path("jobs", "topology.yaml")] = _yaml([parts.topology_job()])
    files[Path("vault", "rotate.yaml")] = _yaml([parts.rotation_job()])
    for folder in ("base", "jobs", "vault"):
        resources = sorted(path.name for path in files if path.parts[0] == folder)
        files[Path(folder, "kustomization.yaml")] = _yaml([_kustomization(resources)])
    return files


def main(arguments: list[str]) -> int:
    files = manifests()
    if arguments == ["--check"]:
        present = {path: FOLDER / path for path in files}
        stale = [p for p, file in present.items() if not file.is_file() or file.read_text(encoding="utf-8") != files[p]]
        for path in stale:
            print(f"deploy/k8s/{path} is not current, run python deploy/k8s/render", file=sys.stderr)  # noqa: T201
        return 1 if stale else 0
    for path, text in files.items():
        (FOLDER / path).parent.mkdir(exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")
    return 0


def _kustomization(resources: list[str]) -> Object:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources}


class _Plain(yaml.SafeDumper):
    """Writes equal parts out again instead of pointing at the first one, and indents lists."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _yaml(objects: Iterable[Object]) -> str:
    return HEADER + yaml.dump_all(list(objects), Dumper=_Plain, sort_keys=False, width=120)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
