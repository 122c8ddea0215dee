"""Brings models onto this machine: from a hub, or from a folder or an archive."""
