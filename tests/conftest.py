"""Fixtures every part of the suite shares. Each `fixtures_*` module owns one real dependency."""

from hypothesis import settings

# Nothing asserts seconds: a busy machine must not fail a property.
settings.register_profile("academy", deadline=None)
settings.load_profile("academy")

pytest_plugins: list[str] = [
    "tests.fixtures_browser",
    "tests.fixtures_api",
    "tests.fixtures_footage",
    "tests.fixtures_mongo",
    "tests.fixtures_storage",
    "tests.fixtures_transcoding",
]
