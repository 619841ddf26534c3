#!/usr/bin/env python3
"""Reads a recording with the MCAP project's own Python reader and checks what viewers rely on.

    pip install mcap && tests/peers/read_mcap.py RECORDING.mcap

Fails when the reader does, when a checksum is wrong, when a JSON message lacks what its schema requires, or when a channel
is missing that should be there.
"""

import json
import sys
from collections import Counter

from mcap.reader import make_reader

JSON_TYPES = {"string": str, "number": (int, float), "integer": int, "array": list, "object": dict}
SCHEMAS = {
    "/alert": "vedette.Alert",
    "/alert/map": "foxglove.GeoJSON",
    "/alert/fix": "foxglove.LocationFix",
    "/track/map": "foxglove.GeoJSON",
    "/track/fix": "foxglove.LocationFix",
}


def check(value, schema, where):
    expected = JSON_TYPES[schema["type"]]
    assert isinstance(value, expected), f"{where}: expected {schema['type']}, got {value!r}"
    if schema["type"] == "array":
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)), f"{where}: {len(value)} items"
    for name in schema.get("required", []):
        assert name in value, f"{where}: {name} is missing"
    for name, part in schema.get("properties", {}).items():
        if name in value:
            check(value[name], part, f"{where}.{name}")


def main(path):
    counts = Counter()
    with open(path, "rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None, "no summary section"
        metadata = {record.name: record.metadata for record in reader.iter_metadata()}
        for schema, channel, message in reader.iter_messages():
            counts[channel.topic] += 1
            if channel.message_encoding != "json":
                continue
            assert schema.name == SCHEMAS[channel.topic] and schema.encoding == "jsonschema", channel.topic
            value = json.loads(message.data)
            check(value, json.loads(schema.data), channel.topic)
            if "geojson" in value:
                assert json.loads(value["geojson"])["type"] == "FeatureCollection", channel.topic
            if "latitude" in value:
                assert abs(value["latitude"]) <= 90 and abs(value["longitude"]) <= 180, value
    about = metadata["vedette"]
    assert about["version"] and about["format"] and json.loads(about["config"])["site"]["id"] == about["site"]
    for topic in ("/snapshot", "/input", "/alert", "/alert/map", "/alert/fix", "/track/map"):
        assert counts[topic] > 0, f"nothing on {topic}: {counts}"
    assert summary.statistics.message_count == sum(counts.values()), "the statistics count otherwise"
    print(f"{path}: {sum(counts.values())} messages, {dict(counts)}")


if __name__ == "__main__":
    main(sys.argv[1])
