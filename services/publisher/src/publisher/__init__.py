"""Publications: staging, intent, receipt, reconciliation."""
