"""The published code book: languages as small integers, append-only, versioned.

A number never changes its meaning. A new language takes the next free number and raises the
version; packs name the version they were written with.
"""

from __future__ import annotations

CODEBOOK_VERSION = 1
