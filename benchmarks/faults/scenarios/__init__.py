"""One module a family of faults; each scenario is a function under `@scenario`."""
