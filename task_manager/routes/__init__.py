"""The routes: thin, each one call into the pipeline, the results or the views."""
