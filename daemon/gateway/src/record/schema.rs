//! Schemas of the JSON channels, so that any MCAP tool can read a recording without this program.
//!
//! `foxglove.LocationFix` and `foxglove.GeoJSON` are well-known names: viewers draw messages under them on a map without
//! being told how. The fields are those of Foxglove's published schemas.

/// A schema under the name tools know it by.
pub(super) struct Schema {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
}

/// Shapes on a map, as GeoJSON text.
pub(super) const GEO_JSON: Schema = Schema {
    name: "foxglove.GeoJSON",
    text: r#"{
  "title": "foxglove.GeoJSON",
  "description": "GeoJSON data for annotating maps",
  "type": "object",
  "properties": {"geojson": {"type": "string", "description": "GeoJSON text"}}
}"#,
};

/// One position on the globe with its covariance.
pub(super) const LOCATION_FIX: Schema = Schema {
    name: "foxglove.LocationFix",
    text: r#"{
  "title": "foxglove.LocationFix",
  "description": "A position on the globe",
  "type": "object",
  "properties": {
    "timestamp": {
      "type": "object",
      "title": "time",
      "properties": {"sec": {"type": "integer", "minimum": 0}, "nsec": {"type": "integer", "minimum": 0, "maximum": 999999999}}
    },
    "frame_id": {"type": "string", "description": "what is there: track-N or alert-ID"},
    "latitude": {"type": "number", "description": "degrees"},
    "longitude": {"type": "number", "description": "degrees"},
    "altitude": {"type": "number", "description": "metres above the ellipsoid; 0, for ground sensors tell none"},
    "position_covariance": {
      "type": "array",
      "items": {"type": "number"},
      "minItems": 9,
      "maxItems": 9,
      "description": "m^2 in east, north, up; row by row"
    },
    "position_covariance_type": {
      "type": "integer",
      "oneOf": [
        {"title": "UNKNOWN", "const": 0},
        {"title": "APPROXIMATED", "const": 1},
        {"title": "DIAGONAL_KNOWN", "const": 2},
        {"title": "KNOWN", "const": 3}
      ]
    }
  }
}"#,
};

/// A revision of an alert, as it goes to the centre.
pub(super) const ALERT: Schema = Schema {
    name: "vedette.Alert",
    text: r#"{
  "title": "vedette.Alert",
  "description": "A revision of an alert; times are microseconds since 1970",
  "type": "object",
  "properties": {
    "id": {"type": "string"},
    "rev": {"type": "integer", "minimum": 1},
    "dedup_key": {"type": "string"},
    "mode": {"type": "string", "enum": ["actual", "exercise", "test"]},
    "severity": {"type": "string", "enum": ["info", "low", "medium", "high", "critical"]},
    "kind": {"type": "string"},
    "zone": {"type": "string"},
    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    "heading_deg": {"type": "number"},
    "speed_mps": {"type": "number"},
    "first_seen": {"type": "integer"},
    "last_seen": {"type": "integer"},
    "expires_at": {"type": "integer"},
    "erase_at": {"type": "integer"},
    "text": {"type": "string"}
  },
  "required": ["id", "rev", "severity", "kind", "text"]
}"#,
};
