"""The domain of a lecture-video portal: courses, uploads, recordings, jobs, published media."""

__version__ = "0.1.0"
