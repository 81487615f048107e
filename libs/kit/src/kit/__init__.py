"""How every Signoff service is built. No domain word."""
