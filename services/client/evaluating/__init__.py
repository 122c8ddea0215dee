"""Measures speech models through a running server, on audio whose words are known."""
