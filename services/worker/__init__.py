"""What every worker does around its engine: claim, stay alive, fetch, run, store, report."""
