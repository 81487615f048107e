"""The rules of forgetting: the policy, erasures and what proves them, backups. No I/O."""
