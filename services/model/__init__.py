"""Pure values and rules: no I/O and no clock; time is always passed in."""
