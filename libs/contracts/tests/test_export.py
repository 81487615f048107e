"""What is generated is committed, current, and true to the topology; `--check` and `--release` say what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts import asyncapi, export
from contracts.registry import EVENTS, is_told
from contracts.topology import CONSUMERS
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator

DOCUMENT = asyncapi.document()


def test_the_committed_files_are_current():
    assert export.stale(export.REPOSITORY) == []


def test_check_names_what_is_missing_changed_or_left_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    export.write(tmp_path)
    assert export.main(["--check"], tmp_path) == 0
    schemas = tmp_path / "libs/contracts/schemas"
    (schemas / "post.deleted.v1.schema.json").unlink()
    (tmp_path / "docs/events.md").write_text("old")
    (schemas / "post.forgotten.v1.schema.json").write_text("{}")
    assert export.main(["--check"], tmp_path) == 1
    told = [line.partition(": ")[0] for line in capsys.readouterr().err.splitlines()]
    assert told == [
        "docs/events.md",
        "libs/contracts/schemas/post.deleted.v1.schema.json",
        "libs/contracts/schemas/post.forgotten.v1.schema.json",
    ]
    assert export.main([], tmp_path) == 0
    assert export.stale(tmp_path) == []


def test_a_release_is_refused_if_it_breaks_a_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert export.main(["--release"], tmp_path) == 0
    assert export.released(tmp_path).keys() == EVENTS.keys()
    file = tmp_path / "libs/contracts/released/post.deleted.v1.schema.json"
    schema = json.loads(file.read_text())
    schema["properties"]["reason"] = {"type": "string"}
    file.write_text(json.dumps(schema))
    assert export.main(["--release"], tmp_path) == 1
    assert "post.deleted.v1: field reason is removed" in capsys.readouterr().err
    assert json.loads(file.read_text()) == schema


def test_an_unknown_argument_writes_nothing(tmp_path: Path):
    assert export.main(["--chek"], tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_asyncapi_document_has_the_structure_of_version_3():
    # FastStream's model of the standard also wants a path of each server, which the standard does not.
    servers = {name: server | {"pathname": ""} for name, server in DOCUMENT["servers"].items()}
    ApplicationSchema.model_validate(DOCUMENT | {"servers": servers})


def references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for item in node.values():
            yield from references(item)


def test_every_reference_leads_somewhere():
    for reference in references(DOCUMENT):
        node = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def test_a_channels_parameters_are_those_of_its_address():
    for name, channel in DOCUMENT["channels"].items():
        assert channel["address"] == f"{name}.{{key}}"
        assert channel["parameters"].keys() == {"key"}


def test_the_operations_are_those_of_registry_and_topology():
    sent = {name.split(".send.")[1] for name, o in DOCUMENT["operations"].items() if o["action"] == "send"}
    received = {name for name, o in DOCUMENT["operations"].items() if o["action"] == "receive"}
    assert sent == {name for name, event in EVENTS.items() if is_told(event)}
    assert received == {f"{c.service}.receive.{e.name()}" for c in CONSUMERS.values() for e in c.arriving}
    assert "auth.send.erasure.task_done.v1" in DOCUMENT["operations"]
    assert "publisher.send.post.approved.v1" not in DOCUMENT["operations"]


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_the_payload_in_the_document_takes_the_sample(name: str):
    sample = json.loads((export.REPOSITORY / f"libs/contracts/samples/{name}.json").read_text())
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(sample)
    broken = dict(list(sample.items())[1:])
    assert not Draft202012Validator(schema).is_valid(broken)


def test_the_page_lists_every_event():
    page = (export.REPOSITORY / "docs/events.md").read_text()
    for name in EVENTS:
        assert page.count(f"## {name}\n") == 1
