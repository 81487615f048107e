"""Who may talk to whom. Everything is closed; each policy opens one thing for the pods it names."""

from __future__ import annotations

from names import PART_OF, PORT, USES_DATA, USES_OUTSIDE, Object, metadata, own

PRIVATE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"]
"""Never reached by a call that is meant for the internet, whatever a name resolves to."""

POSTGRES_PORT, NATS_PORT, TELEMETRY_PORT = 5432, 4222, 4318

MAIL_PORTS = [465, 587]
"""SMTP that is encrypted from the start, and by STARTTLS."""

_NAME_SERVERS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
_OURSELVES = {"podSelector": {"matchLabels": PART_OF}}


def policies() -> list[Object]:
    outside = {"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE_NETWORKS}}
    return [
        _policy("closed", PART_OF, policyTypes=["Ingress", "Egress"]),
        _policy("names", PART_OF, egress=[{"to": [_NAME_SERVERS], "ports": [_port(53, "UDP"), _port(53)]}]),
        _policy(
            "neighbours",
            PART_OF,
            ingress=[{"from": [_OURSELVES], "ports": [_port(PORT)]}],
            egress=[{"to": [_OURSELVES], "ports": [_port(PORT)]}],
        ),
        # Where these run is not ours to know: an overlay that knows adds `to`.
        _policy("data", USES_DATA, egress=[{"ports": [_port(POSTGRES_PORT), _port(NATS_PORT)]}]),
        _policy("mail", own("auth"), egress=[{"ports": [_port(port) for port in MAIL_PORTS]}]),
        _policy("telemetry", PART_OF, egress=[{"ports": [_port(TELEMETRY_PORT)]}]),
        _policy("outside", USES_OUTSIDE, egress=[{"to": [outside], "ports": [_port(443)]}]),
        # The ingress controller is in a namespace of its own; all others come through it.
        _policy("entrance", own("gateway"), ingress=[{"ports": [_port(PORT)]}]),
    ]


def _policy(name: str, pods: dict[str, str], **rules: object) -> Object:
    types = [direction.capitalize() for direction in ("ingress", "egress") if direction in rules]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(f"signoff-{name}"),
        "spec": {"podSelector": {"matchLabels": pods}, "policyTypes": types} | rules,
    }


def _port(number: int, protocol: str = "TCP") -> Object:
    return {"port": number, "protocol": protocol}
