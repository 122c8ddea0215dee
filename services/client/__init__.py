"""The client of the REST API: a typed caller, a live view, and the commands built on both."""
