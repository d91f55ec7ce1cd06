"""Changes of documents that exist: ordered, each run once, under a lock, and recorded."""
