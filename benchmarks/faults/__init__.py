"""The fault bench: real processes, faults on purpose, a ledger of what was seen, a checker."""
