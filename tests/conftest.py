"""Fixtures every part of the suite shares. Each `fixtures_*` module owns one real dependency."""

pytest_plugins: list[str] = [
    "tests.fixtures_browser",
    "tests.fixtures_api",
    "tests.fixtures_footage",
    "tests.fixtures_mongo",
    "tests.fixtures_storage",
    "tests.fixtures_transcoding",
]
