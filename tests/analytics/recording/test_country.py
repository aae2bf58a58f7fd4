"""The country of an address, from a MaxMind file that the tests write."""

from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from analytics.recording.country import countries


def database(folder: Path) -> Path:
    """A file that knows two networks of documentation."""
    writer = MMDBWriter(6, "GeoLite2-Country", ipv4_compatible=True)
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"country": {"iso_code": "AT"}})
    writer.insert_network(IPSet(["2001:db8::/32"]), {"country": {"iso_code": "JP"}})
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"continent": {"code": "EU"}})
    file = folder / "country.mmdb"
    writer.to_db_file(str(file))
    return file


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("192.0.2.1", "AT"),
        ("2001:db8::5", "JP"),
        ("198.51.100.1", ""),
        ("203.0.113.1", ""),
        ("no address", ""),
        ("", ""),
    ],
)
def test_the_country_of_an_address(tmp_path, address, country):
    assert countries(database(tmp_path))(address) == country


def test_without_a_file_there_is_none():
    assert countries(None)("192.0.2.1") == ""


def test_a_file_that_is_none_of_maxminds(tmp_path):
    file = tmp_path / "country.mmdb"
    file.write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="no MaxMind file"):
        countries(file)


def test_a_damaged_place_in_the_file_has_no_country(tmp_path):
    file = database(tmp_path)
    data = file.read_bytes()
    # The name of a field becomes a pointer to where nothing is.
    file.write_bytes(data.replace(b"\x47country", b"\x3f" + b"\xff" * 7))
    assert data != file.read_bytes()
    assert countries(file)("192.0.2.1") == ""


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        countries(tmp_path / "none.mmdb")
