"""Measurements and fault tests of the whole stack; not part of the wheel."""
