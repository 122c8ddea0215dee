"""The client of the REST API, blocking and asynchronous, and the commands that are built on it."""
