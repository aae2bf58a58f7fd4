"""What the API reads and writes: one object, in JSON, XML, YAML, CSV and XLSX.

The mapping is in `docs/api.md`. Text stays text on its way in: "007" is no number, and
a serializer converts what is to be one.
"""

from api.formats.csv import CsvParser, CsvRenderer
from api.formats.json import JsonParser
from api.formats.xlsx import XlsxRenderer
from api.formats.xml import XmlParser, XmlRenderer
from api.formats.yaml import YamlParser, YamlRenderer

__all__ = [
    "CsvParser",
    "CsvRenderer",
    "JsonParser",
    "XlsxRenderer",
    "XmlParser",
    "XmlRenderer",
    "YamlParser",
    "YamlRenderer",
]
