"""Benchmarks: ratios measured interleaved in one run, never bare seconds. `make bench [ONLY=prefix]`.

Every module of this package named in `SUITES` registers what it measures with `@benchmark`.
"""
