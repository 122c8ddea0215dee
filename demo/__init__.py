"""The demo models, the closed grammar that they know, and the speech made from it."""
