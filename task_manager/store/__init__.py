"""The store is the queue: named operations, and an adapter for SQLite and one for MongoDB."""
