"""Every method of the client, written once as a call or as steps; each module is one subject."""
