//! Places on the globe and as seen from a node.

/// A place on the globe; the errors are in the units of the coordinates.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Location {
    /// Longitude, or east.
    #[prost(double, optional, tag = "1")]
    pub x: Option<f64>,
    /// Latitude, or north.
    #[prost(double, optional, tag = "2")]
    pub y: Option<f64>,
    /// Height, metres.
    #[prost(double, optional, tag = "3")]
    pub z: Option<f64>,
    /// Standard deviation of `x`.
    #[prost(double, optional, tag = "4")]
    pub x_error: Option<f64>,
    /// Standard deviation of `y`.
    #[prost(double, optional, tag = "5")]
    pub y_error: Option<f64>,
    /// See [`coordinate_system`].
    #[prost(int32, optional, tag = "7")]
    pub coordinate_system: Option<i32>,
    /// See [`location_datum`].
    #[prost(int32, optional, tag = "8")]
    pub datum: Option<i32>,
    /// Number and band, for the grid: `34U`.
    #[prost(string, optional, tag = "9")]
    pub utm_zone: Option<String>,
}

/// Coordinates of places.
pub mod coordinate_system {
    /// Longitude and latitude in degrees.
    pub const DEGREES: i32 = 1;
    /// The same in radians.
    pub const RADIANS: i32 = 2;
    /// East and north of the universal transverse Mercator grid.
    pub const UTM: i32 = 5;
}

/// What heights count from; the horizontal datum is WGS 84 with both.
pub mod location_datum {
    /// The ellipsoid.
    pub const ELLIPSOID: i32 = 1;
    /// The geoid.
    pub const GEOID: i32 = 2;
}

/// A place as seen from a node.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct RangeBearing {
    /// Above the horizon.
    #[prost(double, optional, tag = "1")]
    pub elevation: Option<f64>,
    /// Clockwise from the datum's north.
    #[prost(double, optional, tag = "2")]
    pub azimuth: Option<f64>,
    /// Slant range.
    #[prost(double, optional, tag = "3")]
    pub range: Option<f64>,
    /// Standard deviation of the azimuth.
    #[prost(double, optional, tag = "5")]
    pub azimuth_error: Option<f64>,
    /// Standard deviation of the range.
    #[prost(double, optional, tag = "6")]
    pub range_error: Option<f64>,
    /// See [`range_bearing_units`].
    #[prost(int32, optional, tag = "7")]
    pub coordinate_system: Option<i32>,
    /// See [`bearing_datum`].
    #[prost(int32, optional, tag = "8")]
    pub datum: Option<i32>,
}

/// Units of ranges and bearings.
pub mod range_bearing_units {
    /// Degrees and metres.
    pub const DEGREES_M: i32 = 1;
    /// Radians and metres.
    pub const RADIANS_M: i32 = 2;
    /// Degrees and kilometres.
    pub const DEGREES_KM: i32 = 3;
    /// Radians and kilometres.
    pub const RADIANS_KM: i32 = 4;
}

/// What bearings count from.
pub mod bearing_datum {
    /// True north.
    pub const TRUE: i32 = 1;
    /// Magnetic north.
    pub const MAGNETIC: i32 = 2;
    /// North of the universal transverse Mercator grid.
    pub const GRID: i32 = 3;
    /// The front of the node's platform.
    pub const PLATFORM: i32 = 4;
}
