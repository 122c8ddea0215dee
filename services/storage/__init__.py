"""Object storage: one protocol, one adapter a vendor, and every key in one place."""
