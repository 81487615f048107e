"""The Kubernetes objects that all services have alike, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import policies
from names import PART_OF, PORT, USES_DATA, USES_OUTSIDE, VERSION, Object, metadata, own

from services import Deployed

USER = 10001

PRESTOP_SECONDS = 5
"""Endpoints are taken out of use all over the cluster while the pod still answers."""

GRACE_SECONDS = 45
"""Covers the pause before the stop, open requests (5 s), handlers in flight (20 s) and closing."""


def service_objects(service: Deployed) -> list[Object]:
    return [_deployment(service), _service(service), _disruption_budget(service)]


def shared_objects(services: Iterable[Deployed]) -> list[Object]:
    """Settings that are no secret, and the closed door that the other policies open."""
    settings = {
        "SIGNOFF_STAGE": "production",
        "HOST": "0.0.0.0",  # noqa: S104  # inside its own pod; the network policies say who gets there
        "PORT": str(PORT),
        "PUBLIC_URL": "https://signoff.example.com",
        "NATS_URL": "tls://nats:4222",
        # Who signed the certificate of NATS; an overlay leaves it empty where that is a public authority.
        "NATS_CA_FILE": "/nats/ca.crt",
        # Of the streams; a cluster of three loses nothing with one of them.
        "NATS_REPLICAS": "3",
        "OBJECT_STORE_URL": "s3://signoff",
        "TRUSTED_KEYS_FILE": "/trusted/trusted.jwks.json",
        "TRUSTED_PROXIES": "1",
    } | {f"SERVICE_URL_{service.name.upper()}": f"http://{service.name}:{PORT}" for service in services}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("signoff"), "data": settings},
        *policies.policies(),
    ]


def migrate_jobs(service: Deployed) -> list[Object]:
    """Bring a service's databases to the newest revision, each as its own owner and in the service's image."""
    return [_migrate_job(service, part) for part in (["", "_keys"] if service.vault else [""])]


def _migrate_job(service: Deployed, part: str) -> Object:
    database = service.name + part
    name = database.replace("_", "-")
    container = _container(service.name, f"signoff-{service.name}") | {
        "command": ["python", "-m", "kit.migrations", database],
        "env": [_secret_variable(f"DATABASE_OWNER_URL_{database.upper()}", f"signoff-{name}-owner", "database-url")],
    }
    return _job(f"migrate-{name}", container, [_temporary(64)])


def rotation_job() -> Object:
    """Brings every stored key under the key-encryption key that counts now, as the owner of auth's keys."""
    container = _container("vault-rotate", "signoff-cli") | {
        "command": ["signoff", "vault", "rotate"],
        "envFrom": [{"configMapRef": {"name": "signoff"}}, _VAULT_SETTINGS],
        "env": [
            {"name": "VAULT_KEY_FILE", "value": "/keys/vault.key"},
            _secret_variable("DATABASE_OWNER_URL_AUTH_KEYS", "signoff-auth-keys-owner", "database-url"),
        ],
    }
    container["volumeMounts"] += [_VAULT_MOUNT, {"name": "keys", "mountPath": "/keys", "readOnly": True}]
    volumes = [_temporary(64), _VAULT_FILES, _keys("signoff-auth", ["vault.key"])]
    job = _job("vault-rotate", container, volumes)
    job["spec"]["template"]["metadata"]["labels"] |= USES_OUTSIDE
    return job


def topology_job() -> Object:
    """Makes NATS hold the streams and consumers that the contracts name, as the operator."""
    container = _container("topology", "signoff-cli") | {
        "command": ["signoff", "topology", "apply"],
        "envFrom": [{"configMapRef": {"name": "signoff"}}],
        "env": [{"name": "NATS_SEED_FILE_OPERATOR", "value": "/keys/operator.nkey"}],
    }
    container["volumeMounts"] += [_NATS_MOUNT, {"name": "keys", "mountPath": "/keys", "readOnly": True}]
    return _job("topology", container, [_temporary(64), _NATS_FILES, _keys("signoff-operator", ["operator.nkey"])])


_NATS_MOUNT: Object = {"name": "nats", "mountPath": "/nats", "readOnly": True}

_VAULT_MOUNT: Object = {"name": "vault", "mountPath": "/vault", "readOnly": True}

# VAULT_*, where a key service wraps the keys and not the file.
_VAULT_SETTINGS: Object = {"configMapRef": {"name": "signoff-vault", "optional": True}}

_VAULT_FILES: Object = {
    "name": "vault",
    # What a key service asks for: a token, or who signed its certificate. Absent where the key is a file.
    "secret": {"secretName": "signoff-vault", "optional": True, "defaultMode": 0o440},
}

_NATS_FILES: Object = {
    "name": "nats",
    # As cert-manager writes it: ca.crt, and tls.crt and tls.key where NATS asks for a certificate of ours.
    "secret": {"secretName": "signoff-nats", "optional": True, "defaultMode": 0o440},
}


def _deployment(service: Deployed) -> Object:
    labels = own(service.name) | PART_OF
    labels |= (USES_DATA if service.database else {}) | (USES_OUTSIDE if service.outside else {})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(service.name),
        "spec": {
            "replicas": service.replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": own(service.name)},
            "template": {
                "metadata": {"labels": labels},
                "spec": _pod(
                    _serving_container(service),
                    [_temporary(service.temporary_mib), *_service_volumes(service)],
                )
                | {
                    "terminationGracePeriodSeconds": GRACE_SECONDS,
                    "topologySpreadConstraints": [
                        {
                            "maxSkew": 1,
                            "topologyKey": "kubernetes.io/hostname",
                            "whenUnsatisfiable": "ScheduleAnyway",
                            "labelSelector": {"matchLabels": own(service.name)},
                        }
                    ],
                },
            },
        },
    }


def _serving_container(service: Deployed) -> Object:
    container = _container(service.name, f"signoff-{service.name}", memory_mib=service.memory_mib)
    container["volumeMounts"] += [
        {"name": "keys", "mountPath": "/keys", "readOnly": True},
        {"name": "trusted", "mountPath": "/trusted", "readOnly": True},
        *([_NATS_MOUNT] if service.database else []),
        *([_VAULT_MOUNT] if service.vault else []),
    ]
    return container | {
        "ports": [{"name": "http", "containerPort": PORT}],
        "envFrom": _environment_sources(service),
        "env": _environment(service),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRESTOP_SECONDS}}},
        "startupProbe": _probe("live", period_seconds=2, failures=30),
        "livenessProbe": _probe("live", period_seconds=10, failures=3),
        "readinessProbe": _probe("ready", period_seconds=5, failures=2),
    }


def _environment_sources(service: Deployed) -> list[Object]:
    sources: list[Object] = [{"configMapRef": {"name": "signoff"}}]
    if service.platforms:
        sources.append({"secretRef": {"name": "signoff-platforms"}})
    if service.vault:
        sources.append(_VAULT_SETTINGS)
    if service.mail:
        sources.append({"secretRef": {"name": "signoff-mail"}})
    if service.objects:
        # Absent where the cluster gives the pods an identity of their own.
        sources.append({"secretRef": {"name": "signoff-object-store", "optional": True}})
    if service.backups:
        # Absent where somebody else takes them.
        sources.append({"secretRef": {"name": "signoff-backups", "optional": True}})
    return sources


def _environment(service: Deployed) -> list[Object]:
    suffix = service.name.upper()
    variables: list[Object] = [
        {"name": f"SIGNING_KEY_FILE_{suffix}", "value": "/keys/signing.pem"},
        {"name": f"SEALING_KEY_FILE_{suffix}", "value": "/keys/sealing.pem"},
    ]
    if service.vault:
        variables += [
            {"name": "VAULT_KEY_FILE", "value": "/keys/vault.key"},
            {"name": "API_KEY_PEPPER_FILE", "value": "/keys/api-key.pepper"},
            _secret_variable(f"DATABASE_URL_{suffix}_KEYS", f"signoff-{service.name}", "keys-database-url"),
        ]
    if service.database:
        variables += [
            _secret_variable(f"DATABASE_URL_{suffix}", f"signoff-{service.name}", "database-url"),
            {"name": "DATABASE_CONNECTIONS_MAX", "value": str(service.database_connections)},
            {"name": f"NATS_SEED_FILE_{suffix}", "value": "/keys/nats.nkey"},
        ]
    return variables


def _service_volumes(service: Deployed) -> list[Object]:
    files = ["signing.pem", "sealing.pem"]
    files += ["nats.nkey"] if service.database else []
    files += ["vault.key", "api-key.pepper"] if service.vault else []
    trusted = {"name": "trusted", "configMap": {"name": "signoff-trusted-keys"}}
    optional = ([_NATS_FILES] if service.database else []) + ([_VAULT_FILES] if service.vault else [])
    return [_keys(f"signoff-{service.name}", files), trusted, *optional]


def _container(name: str, image: str, *, memory_mib: int = 512) -> Object:
    """What every container has: a size, no rights, and only /tmp to write to."""
    return {
        "name": name,
        "image": f"{image}:{VERSION}",
        # No limit of processor time: being held back in the middle of a request costs more than it saves.
        "resources": {"requests": {"cpu": "100m", "memory": "192Mi"}, "limits": {"memory": f"{memory_mib}Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "temporary", "mountPath": "/tmp"}],  # noqa: S108  # a volume of the pod's own
    }


def _pod(container: Object, volumes: Sequence[Object]) -> Object:
    """What every pod has; it meets the restricted pod security standard."""
    return {
        "automountServiceAccountToken": False,
        # Otherwise every Service of the namespace adds variables to the environment.
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": list(volumes),
    }


def _job(name: str, container: Object, volumes: Sequence[Object]) -> Object:
    pod = _pod(container, volumes) | {"restartPolicy": "Never"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(name),
        "spec": {
            "backoffLimit": 3,
            "activeDeadlineSeconds": 900,
            # A finished job is gone before the next release brings one of the same name.
            "ttlSecondsAfterFinished": 600,
            "template": {"metadata": {"labels": own(name) | PART_OF | USES_DATA}, "spec": pod},
        },
    }


def _service(service: Deployed) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(service.name),
        "spec": {
            "selector": own(service.name),
            "ports": [{"name": "http", "port": PORT, "targetPort": "http"}],
        },
    }


def _disruption_budget(service: Deployed) -> Object:
    selector = {"matchLabels": own(service.name)}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(service.name),
        "spec": {"maxUnavailable": 1, "selector": selector},
    }


def _probe(which: str, *, period_seconds: int, failures: int) -> Object:
    return {
        "httpGet": {"path": f"/health/{which}", "port": "http"},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def _secret_variable(name: str, secret: str, key: str) -> Object:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _keys(secret: str, files: Sequence[str]) -> Object:
    # Readable by the container's group only (0440).
    items = [{"key": file, "path": file} for file in files]
    return {"name": "keys", "secret": {"secretName": secret, "items": items, "defaultMode": 0o440}}


def _temporary(size_mib: int) -> Object:
    return {"name": "temporary", "emptyDir": {"sizeLimit": f"{size_mib}Mi"}}
