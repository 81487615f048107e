"""What the edge decides without asking anybody: routes, cookies, origins, limits."""
