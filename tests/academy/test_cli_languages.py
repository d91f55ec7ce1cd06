"""What `academy transcode` tells of a recording is told in the terminal's language."""

import pytest

from academy.commands.transcode import languages
from academy.findings import sentence
from academy.recordings import Finding, Severity


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, []),
        ({"LANG": "C.UTF-8", "LANGUAGE": "fr"}, []),
        ({"LANG": "zh_CN.UTF-8"}, ["zh-CN"]),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "fr_CA.UTF-8@euro"}, ["fr-CA"]),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:fr:en"}, ["de", "fr", "en"]),
        ({"LC_MESSAGES": "POSIX", "LANG": "fr_FR"}, []),
    ],
)
def test_the_terminals_languages_are_those_of_posix_and_gettext(environment, wanted):
    assert languages(environment) == wanted


def test_a_finding_is_told_in_the_first_of_them_that_there_is():
    found = Finding(code="no_video", severity=Severity.INFO, message="stored in English")
    assert sentence(found, languages({"LANG": "zh_CN.UTF-8"})).startswith("没有画面")
    assert sentence(found, languages({"LANG": "ja_JP", "LANGUAGE": "ja:fr"})).startswith("Il n'y a")
    assert sentence(found, languages({})).startswith("There is no picture")
