from __future__ import annotations

from pathlib import Path

import pytest

from transcoding.boxes import BadBox, box, full_box
from transcoding.fragments import FragmentReader, GrowingFile

INIT = box("ftyp", b"iso6") + box("moov", full_box("mvhd", 0, 0))
FIRST = box("moof", b"one") + box("mdat", b"first")
SECOND = box("moof", b"two") + box("mdat", b"the second")


@pytest.mark.parametrize("step", [1, 3, 7, 1000])
def test_fragments_come_out_as_soon_as_they_are_whole(step: int) -> None:
    reader = FragmentReader()
    data = INIT + box("sidx") + FIRST + box("free", b"!") + SECOND + box("mfra", b"index")
    found: list[tuple[int, bytes]] = []
    for at in range(0, len(data), step):
        found += [(at + step, fragment.data) for fragment in reader.feed(data[at : at + step])]
    assert reader.init == INIT
    assert [fragment for _, fragment in found] == [FIRST, SECOND]
    end_of_first = data.index(FIRST) + len(FIRST)
    assert found[0][0] < end_of_first + step
    assert reader.rest == 0


def test_half_a_fragment_is_kept_back() -> None:
    reader = FragmentReader()
    assert list(reader.feed(INIT + FIRST[:-1])) == []
    assert reader.rest == len(FIRST) - 1
    assert [fragment.data for fragment in reader.feed(FIRST[-1:])] == [FIRST]


def test_a_size_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadBox):
        list(FragmentReader().feed(b"\xff\xff\xff\xffmoof"))


def test_a_growing_file_gives_only_what_is_new(tmp_path: Path) -> None:
    file = GrowingFile(tmp_path / "v.mp4")
    assert list(file.poll()) == []
    with file.path.open("ab") as out:
        out.write(b"abc")
        out.flush()
        assert list(file.poll()) == [b"abc"]
        assert list(file.poll()) == []
        out.write(b"def")
    assert list(file.poll()) == [b"def"]
