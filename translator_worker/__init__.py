"""Carries sentences into other languages; everything around the engine is services.worker."""
