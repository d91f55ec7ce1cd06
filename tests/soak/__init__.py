"""Crash safety, measured: `python -m tests.soak` ill-treats a whole installation and checks what is left."""
