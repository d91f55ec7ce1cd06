"""Search in MongoDB: what is found lies in collections of its own, made from the catalogue and the captions.

They are generations: a new one is filled while the old one serves (`reindex.py`), then one write switches.
The catalogue's change stream keeps them current (`follower.py`); each refresh reads the catalogue and
writes the entries in one transaction, so it may be repeated, and be late, but never wrong (`refresh.py`).
Hits are checked against the catalogue when they are read (`find.py`): what was unpublished or deleted is
gone with that very write, however late the index is.
"""
