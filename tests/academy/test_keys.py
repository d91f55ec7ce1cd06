import pytest

from academy.keys import KeyRing


@pytest.mark.parametrize("given", ["", "é" * 40, "０" * 40, "\udcff" * 40, "0" * 40])
def test_a_signature_that_is_none_is_refused_whatever_its_characters(given):
    assert not KeyRing("a secret of forty characters, or rather more").verify(
        "uppy", b"upload", given
    )
