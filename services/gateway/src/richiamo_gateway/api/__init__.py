"""Which JSON calls does the gateway answer? Every call of `api.md` below `/api/v1`."""
