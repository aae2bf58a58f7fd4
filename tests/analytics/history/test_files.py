"""Whole lines of plain and packed files, whatever is wrong with them."""

import gzip
import io
import sys

import pytest

from analytics.history import files
from analytics.history.files import LINE_LIMIT, LogError, LogFile


def text_of(path, start: int = 0, end: int | None = None) -> str:
    with LogFile(str(path)) as log:
        assert log.skip(start)
        return "".join(block.text for block in log.blocks(end))


@pytest.fixture(params=["log", "log.gz"])
def new(request, tmp_path):
    """Makes a file, plain or packed."""

    def make(data: bytes):
        path = tmp_path / f"access.{request.param}"
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return make


@pytest.mark.parametrize("block", [2, 7, 1 << 20])
def test_gives_all_lines_from_any_place_to_any(new, monkeypatch, block):
    monkeypatch.setattr(files, "BLOCK", block)
    data = b"one\ntwo\r\n\nth\xffree\nfo"
    path = new(data)
    assert text_of(path) == data.decode("latin-1")
    for start in range(len(data)):
        assert text_of(path, start) == data[start:].decode("latin-1")
    assert text_of(path, 4, 10) == "two\r\n\n"


def test_what_was_looked_at_is_read_too(new):
    with LogFile(str(new(b"one\ntwo\n"))) as log:
        assert log.peek(3) == b"one"
        assert log.peek(100) == b"one\ntwo\n"
        (block,) = log.blocks()
    assert block == ("one\ntwo\n", 0, 8, True)


def test_a_line_without_an_end_is_said_to_be_so(new):
    with LogFile(str(new(b"one\ntw"))) as log:
        blocks = list(log.blocks())
    assert [(block.text, block.whole) for block in blocks] == [
        ("one\n", True),
        ("tw", False),
    ]


def test_goes_on_behind_a_line_that_had_no_end(new):
    path = new(b"one\ntwo\nthree\n")
    for start, rest in ((5, "three\n"), (7, "three\n"), (8, "three\n"), (0, "one\n")):
        with LogFile(str(path)) as log:
            log.skip(start)
            log.finish_line()
            found = "".join(block.text for block in log.blocks())
            assert found.startswith(rest)


def test_a_file_that_is_shorter_than_before_has_nothing_to_go_on_with(new):
    with LogFile(str(new(b"one\n"))) as log:
        assert not log.skip(5)


def test_a_plain_file_of_some_size_is_not_read_to_where_it_goes_on(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(files, "BLOCK", 10)
    path = tmp_path / "access.log"
    path.write_bytes(b"0123456789\n" * 5)
    assert text_of(path, 22) == "0123456789\n" * 3
    with LogFile(str(path)) as log:
        log.skip(25)
        log.finish_line()
        assert log.position == 33
    with LogFile(str(path)) as log:
        assert not log.skip(56)


def test_a_line_of_megabytes_is_cut_and_the_next_is_whole(new):
    with LogFile(str(new(b"x" * 3_000_000 + b"\nnext\n"))) as log:
        first, second = log.blocks()
    assert LINE_LIMIT < len(first.text) < 2 * LINE_LIMIT
    assert (first.end, second.start, second.text) == (3_000_001, 3_000_001, "next\n")


def test_packed_data_that_end_early_give_what_they_have(tmp_path):
    data = gzip.compress(b"".join(b"%d line\n" % n for n in range(100_000)))
    path = tmp_path / "a.gz"
    path.write_bytes(data[: len(data) // 2])
    with LogFile(str(path)) as log:
        text = "".join(block.text for block in log.blocks())
        assert log.failure == "its gzip data end early"
    assert text.startswith("0 line\n1 line\n")
    assert text.endswith("\n")


def test_packed_data_may_be_damaged(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"x")[:10] + b"\xff" * 100)
    with LogFile(str(path)) as log:
        log.peek(1_000)
        assert "damaged" in log.failure


def test_a_folder_and_nothing_are_no_files(tmp_path):
    with pytest.raises(LogError, match="Is a directory"):
        LogFile(str(tmp_path))
    with pytest.raises(LogError, match="No such file"):
        LogFile(str(tmp_path / "none"))


def test_the_standard_input_may_be_packed(monkeypatch):
    data = gzip.compress(b"one\n")
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(data)))
    monkeypatch.setattr(sys, "stdin", stdin)
    with LogFile("-", "name") as log:
        assert [block.text for block in log.blocks()] == ["one\n"]
        assert log.fraction() is None
    assert not stdin.closed
