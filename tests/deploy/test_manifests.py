"""The manifests are valid for a named Kubernetes, current, locked down, and give each service what it asks for."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from contracts.topology import consumers_of
from kit import consuming, server
from kit.identities import OPERATOR
from kit.settings import BusSettings, Environment
from kit.streams import TopologySettings

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "deploy" / "k8s"
KUBERNETES = "1.34"
"""The version the schemas are of; the oldest that has everything used is 1.30 (`lifecycle.preStop.sleep`)."""

SERVICES = ("auth", "content", "scheduler", "publisher", "metrics", "retention", "gateway")

Object = dict[str, Any]


def load(text: str) -> list[Object]:
    return [document for document in yaml.safe_load_all(text) if document]


OBJECTS = {
    f"{path.parent.name}-{document['kind']}-{document['metadata']['name']}": document
    for path in sorted(K8S.glob("*/*.yaml"))
    if path.name != "kustomization.yaml"
    for document in load(path.read_text())
}
PODS = {
    key: document["spec"]["template"] for key, document in OBJECTS.items() if document["kind"] in {"Deployment", "Job"}
}

every_object = pytest.mark.parametrize("document", OBJECTS.values(), ids=OBJECTS)
every_pod = pytest.mark.parametrize("template", PODS.values(), ids=PODS)


def labels_of(name: str) -> dict[str, str]:
    """The labels of a service's pods."""
    labels: dict[str, str] = named("Deployment", name)["spec"]["template"]["metadata"]["labels"]
    return labels


def named(kind: str, name: str) -> Object:
    (found,) = (o for o in OBJECTS.values() if o["kind"] == kind and o["metadata"]["name"] == name)
    return found


def container(template: Object) -> Object:
    containers: list[Object] = template["spec"]["containers"]
    (only,) = containers
    return only


def test_the_committed_files_are_current():
    command = [sys.executable, str(K8S / "render"), "--check"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""


@every_object
def test_an_object_is_valid(document: Object):
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_a_mistake_is_found():
    document = named("Deployment", "auth")
    broken = document | {"spec": document["spec"] | {"replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


@pytest.mark.parametrize("folder", ["base", "jobs", "vault"])
def test_a_kustomization_lists_every_file_beside_it(folder: str):
    (kustomization,) = load((K8S / folder / "kustomization.yaml").read_text())
    files = {path.name for path in (K8S / folder).glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files


@pytest.mark.parametrize("folder", ["base", "jobs", "vault", "overlays/example", "overlays/example/jobs"])
def test_kubectl_renders_valid_objects(folder: str):
    if shutil.which("kubectl") is None:
        # Without it the folder's own files, which need no rendering, are validated above.
        assert (K8S / folder / "kustomization.yaml").is_file()
        return
    command = ["kubectl", "kustomize", str(K8S / folder)]
    rendered = load(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert rendered
    for document in rendered:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    if folder.startswith("overlays"):
        images = [container(o["spec"]["template"])["image"] for o in rendered if o["kind"] in {"Deployment", "Job"}]
        # Auth has a second database to migrate; the topology is a job too.
        assert len(images) == len(SERVICES) + folder.endswith("jobs")
        assert all(image.startswith("registry.example.com/") for image in images)


def test_every_service_is_deployed():
    assert {o["metadata"]["name"] for o in OBJECTS.values() if o["kind"] == "Deployment"} == set(SERVICES)


@every_pod
def test_a_pod_is_restricted(template: Object):
    pod, only = template["spec"], container(template)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"]["limits"]["memory"]
    writable = [mount["mountPath"] for mount in only["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/tmp"]
    assert "sh" not in only.get("command", [])


def test_nobody_runs_as_root_in_the_image_either():
    user = str(named("Deployment", "auth")["spec"]["template"]["spec"]["securityContext"]["runAsUser"])
    assert f"USER {user}:{user}" in (ROOT / "deploy" / "Dockerfile").read_text()


@every_object
def test_no_secret_is_in_the_repository(document: Object):
    assert document["kind"] != "Secret"
    text = yaml.dump(document)
    assert "PRIVATE KEY" not in text
    for variable in _variables(document):
        secret = any(word in variable["name"] for word in ("SECRET", "PASSWORD", "DATABASE_URL", "DATABASE_OWNER_URL"))
        assert not (secret and "value" in variable), f"{variable['name']} is written out"


def _variables(document: Object) -> list[Object]:
    template = document.get("spec", {}).get("template")
    variables: list[Object] = container(template).get("env", []) if template else []
    return variables


@pytest.mark.parametrize("name", SERVICES)
def test_a_pod_stops_after_its_work_is_done(name: str):
    template = named("Deployment", name)["spec"]["template"]
    pause = container(template)["lifecycle"]["preStop"]["sleep"]["seconds"]
    closing_seconds = 5
    needed = pause + server.GRACEFUL_SECONDS + consuming.GRACEFUL_SECONDS + closing_seconds
    assert template["spec"]["terminationGracePeriodSeconds"] >= needed


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_reached_under_its_own_name_and_port(name: str):
    shared = named("ConfigMap", "signoff")["data"]
    service, template = named("Service", name), named("Deployment", name)["spec"]["template"]
    assert service["spec"]["selector"].items() <= labels_of(name).items()
    assert named("Deployment", name)["spec"]["selector"]["matchLabels"].items() <= labels_of(name).items()
    port = service["spec"]["ports"][0]
    assert container(template)["ports"] == [{"name": port["targetPort"], "containerPort": int(shared["PORT"])}]
    assert shared[f"SERVICE_URL_{name.upper()}"] == f"http://{name}:{port['port']}"
    assert shared["HOST"] != "127.0.0.1", "nobody outside the pod would reach it"


def environment_of(template: Object, folder: Path) -> dict[str, str]:
    """What a container finds in its environment; secrets stand in for, files are made in `folder`."""
    only = container(template)
    values: dict[str, str] = dict(named("ConfigMap", "signoff")["data"])
    if {"secretRef": {"name": "signoff-platforms"}} in only["envFrom"]:
        values |= {"PLATFORM_CLIENT_ID_TIKTOK": "id", "PLATFORM_CLIENT_SECRET_TIKTOK": "secret"}
    if {"secretRef": {"name": "signoff-mail"}} in only["envFrom"]:
        values |= {"SMTP_URL": "smtp://mail.example.com", "SMTP_USER": "signoff", "SMTP_PASSWORD": "secret"}
        values |= {"MAIL_FROM": "Signoff <no-reply@example.com>"}
    for variable in only["env"]:
        values[variable["name"]] = variable.get("value", f"secret-{variable['name']}")
    mounts = {mount["name"]: mount["mountPath"] for mount in only["volumeMounts"]}
    for volume in template["spec"]["volumes"]:
        place = folder / mounts[volume["name"]].strip("/")
        place.mkdir()
        listed = [item["path"] for item in volume.get("secret", {}).get("items", [])]
        for file in listed or FILES.get(volume["name"], []):
            (place / file).touch()
    return {
        key: str(folder) + value if any(value.startswith(f"{mount}/") for mount in mounts.values()) else value
        for key, value in values.items()
    }


FILES = {"trusted": ["trusted.jwks.json"], "nats": ["ca.crt"]}
"""What is in volumes that are mounted whole."""


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_finds_every_setting_it_needs(name: str, tmp_path: Path):
    settings = importlib.import_module(f"{name}.settings").Settings
    read = settings.read(Environment(environment_of(named("Deployment", name)["spec"]["template"], tmp_path)))
    assert read.base.stage == "production"
    assert read.base.clock_file is None
    if read.base.database_url is not None:
        assert read.base.bus.seed_file is not None
        assert read.base.bus.ca_file == tmp_path / "nats" / "ca.crt"
        assert read.base.bus.url.startswith("tls://")
        assert read.base.database_connections_max > sum(consumer.transactions_max for consumer in consumers_of(name))


def test_the_topology_is_applied_encrypted_as_the_operator_and_for_three_servers(tmp_path: Path):
    environment = Environment(environment_of(named("Job", "topology")["spec"]["template"], tmp_path))
    bus = BusSettings.read(environment, OPERATOR)
    assert bus.encrypted
    assert bus.seed_file == tmp_path / "keys" / "operator.nkey"
    assert TopologySettings.read(environment).replicas == 3


def test_the_example_reaches_every_server_of_its_cluster_encrypted():
    (overlay,) = load((K8S / "overlays" / "example" / "kustomization.yaml").read_text())
    (settings,) = (load(patch["patch"])[0]["data"] for patch in overlay["patches"])
    bus = BusSettings(settings["NATS_URL"], ca_file=Path(settings["NATS_CA_FILE"]))
    assert len(bus.urls) == int(settings["NATS_REPLICAS"]) == 3
    assert all(url.startswith("tls://") for url in bus.urls)


@pytest.mark.parametrize("store", ["auth_keys", *(name for name in SERVICES if name != "gateway")])
def test_a_migration_knows_the_owner_of_one_database_only(store: str):
    job = container(named("Job", f"migrate-{store.replace('_', '-')}")["spec"]["template"])
    assert job["image"] == container(named("Deployment", store.partition("_")[0])["spec"]["template"])["image"]
    assert job["command"] == ["python", "-m", "kit.migrations", store]
    assert [variable["name"] for variable in job["env"]] == [f"DATABASE_OWNER_URL_{store.upper()}"]
    assert "envFrom" not in job


def test_a_rotation_reads_the_settings_that_auth_reads(tmp_path: Path):
    template = named("Job", "vault-rotate")["spec"]["template"]
    environment = environment_of(template, tmp_path)
    auth = importlib.import_module("auth.settings")
    assert auth.read_key_places(Environment(environment)).current.file == tmp_path / "keys" / "vault.key"
    assert environment["DATABASE_OWNER_URL_AUTH_KEYS"]
    optional = {"configMapRef": {"name": "signoff-vault", "optional": True}}
    for pod in (template, named("Deployment", "auth")["spec"]["template"]):
        assert optional in container(pod)["envFrom"]


def test_everything_is_closed_but_what_a_policy_opens():
    closed = named("NetworkPolicy", "signoff-closed")["spec"]
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert not closed.keys() & {"ingress", "egress"}
    for template in PODS.values():
        assert closed["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


def test_only_the_gateway_is_reached_from_elsewhere():
    policies = [o["spec"] for o in OBJECTS.values() if o["kind"] == "NetworkPolicy"]
    (entrance,) = (p for p in policies if any("from" not in rule for rule in p.get("ingress", [])))
    assert entrance["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "gateway"}


def test_the_internet_is_reached_by_those_who_need_it_and_nothing_private_through_it():
    outside = named("NetworkPolicy", "signoff-outside")["spec"]
    label = outside["podSelector"]["matchLabels"]
    reaching = {name for name in SERVICES if label.items() <= labels_of(name).items()}
    assert reaching == {"auth", "content", "publisher", "metrics", "retention"}
    (rule,) = outside["egress"]
    assert [port["port"] for port in rule["ports"]] == [443]
    assert "169.254.0.0/16" in rule["to"][0]["ipBlock"]["except"]


def test_only_auth_hands_mail_in():
    assert [name for name in SERVICES if "signoff-mail" in str(named("Deployment", name))] == ["auth"]
    mail = named("NetworkPolicy", "signoff-mail")["spec"]
    assert mail["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "auth"}
    assert [port["port"] for rule in mail["egress"] for port in rule["ports"]] == [465, 587]
