//! Types of Parquet and Arrow columns → the few types in which cells are handed on, without a digit lost.

use polars_core::prelude::*;

use super::column::StoredType;

/// What is done to the cells of a column to bring them to their [`StoredType`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Polars' cast, which is exact for the types it is used for.
    Cast(DataType),
    /// Bytes that were found to be UTF-8.
    BytesToText,
    /// Half-precision numbers, stored as two bytes each.
    HalfToNumber,
    /// Decimals with decimal places → the nearest number.
    DecimalToNumber,
    /// Decimals without decimal places that fit 63 bits.
    DecimalToInteger,
    /// A column without any value.
    Nothing,
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    Convert(StoredType, Conversion),
    /// Bytes, which are text if all of them are UTF-8.
    Bytes,
    Unreadable(String),
}

/// The plan for a column of type `stored`, which its writer called `meant`.
#[expect(clippy::match_same_arms, reason = "types with one plan have it for different reasons")]
pub(super) fn plan(stored: &ArrowDataType, meant: &ArrowDataType) -> Plan {
    use ArrowDataType as A;
    let cast = |to: StoredType, dtype| Plan::Convert(to, Conversion::Cast(dtype));
    match (stored, meant) {
        (_, A::Null) | (A::Null, _) => Plan::Convert(StoredType::Text, Conversion::Nothing),
        // Parquet has no type of its own for half floats and durations; the writer's schema tells them.
        (A::FixedSizeBinary(2), A::Float16) | (A::Float16, _) => {
            Plan::Convert(StoredType::Number, Conversion::HalfToNumber)
        }
        (A::Int64, A::Duration(unit)) | (A::Duration(unit), _) => {
            cast(temporal(meant), DataType::Duration(unit.into()))
        }
        (A::Boolean, _) => cast(StoredType::Boolean, DataType::Boolean),
        (A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt8 | A::UInt16 | A::UInt32, _) => {
            cast(StoredType::Integer, DataType::Int64)
        }
        // They may lie beyond 63 bits, and ids do.
        (A::UInt64, _) => cast(StoredType::Text, DataType::String),
        (A::Float32 | A::Float64, _) => cast(StoredType::Number, DataType::Float64),
        (
            A::Decimal(digits, scale)
            | A::Decimal32(digits, scale)
            | A::Decimal64(digits, scale)
            | A::Decimal256(digits, scale),
            _,
        ) if *digits <= 38 => {
            match (*digits, *scale) {
                (..=18, 0) => Plan::Convert(StoredType::Integer, Conversion::DecimalToInteger),
                // Databases without integers keep ids so.
                (_, 0) => cast(StoredType::Text, DataType::String),
                _ => Plan::Convert(StoredType::Number, Conversion::DecimalToNumber),
            }
        }
        (A::Utf8 | A::LargeUtf8 | A::Utf8View, _) => cast(StoredType::Text, DataType::String),
        (A::Binary | A::LargeBinary | A::BinaryView | A::FixedSizeBinary(_), _) => Plan::Bytes,
        (A::Date32, _) => cast(temporal(meant), DataType::Date),
        (A::Date64, _) => cast(temporal(meant), DataType::Datetime(TimeUnit::Milliseconds, None)),
        (A::Time32(_) | A::Time64(_), _) => cast(temporal(meant), DataType::Time),
        (A::Timestamp(unit, _), _) => {
            let unit = match unit {
                ArrowTimeUnit::Second | ArrowTimeUnit::Millisecond => TimeUnit::Milliseconds,
                ArrowTimeUnit::Microsecond => TimeUnit::Microseconds,
                ArrowTimeUnit::Nanosecond => TimeUnit::Nanoseconds,
            };
            cast(temporal(meant), DataType::Datetime(unit, None))
        }
        (A::Dictionary(_, values, _), _) => match plan(values, values) {
            // Polars resolves these; bytes and half floats behind a dictionary are nobody's.
            Plan::Convert(to, Conversion::Cast(dtype)) => cast(to, dtype),
            Plan::Convert(to, conversion @ (Conversion::DecimalToNumber | Conversion::DecimalToInteger)) => {
                Plan::Convert(to, conversion)
            }
            _ => Plan::Unreadable(described(meant)),
        },
        _ => Plan::Unreadable(described(meant)),
    }
}

fn temporal(meant: &ArrowDataType) -> StoredType {
    StoredType::Temporal(described(meant))
}

/// A type as a reader of messages would call it.
pub(in crate::ingest) fn described(dtype: &ArrowDataType) -> String {
    use ArrowDataType as A;
    match dtype {
        A::Date32 | A::Date64 => "date".into(),
        A::Time32(_) | A::Time64(_) => "time of day".into(),
        A::Timestamp(_, None) => "time stamp".into(),
        A::Timestamp(_, Some(zone)) => format!("time stamp in the zone {zone}"),
        A::Duration(_) => "duration".into(),
        A::Interval(_) => "interval of the calendar".into(),
        A::List(_) | A::LargeList(_) | A::FixedSizeList(..) => "list".into(),
        A::Struct(_) => "record of several fields".into(),
        A::Map(..) => "map".into(),
        A::Union(_) => "union of types".into(),
        A::Binary | A::LargeBinary | A::BinaryView | A::FixedSizeBinary(_) => {
            "bytes that are not text".into()
        }
        A::Decimal256(digits, _) | A::Decimal(digits, _) => format!("decimal of {digits} digits"),
        A::Dictionary(_, values, _) => format!("category of {}", described(values)),
        A::Extension(extension) => format!("{} (extension type)", extension.name),
        other => format!("{other:?}"),
    }
}

/// The type in which a column comes from [`super::StoredTable::read`]; unknown for one that must not be read.
/// Polars' own function panics for types that this build lacks.
pub(in crate::ingest) fn polars_type(field: &ArrowField) -> DataType {
    match plan(&field.dtype, &field.dtype) {
        Plan::Unreadable(_) => DataType::Unknown(UnknownKind::Any),
        Plan::Convert(_, Conversion::HalfToNumber) => DataType::Float64,
        Plan::Convert(..) | Plan::Bytes => DataType::from_arrow_dtype(&field.dtype),
    }
}

impl Conversion {
    /// The cells of `column`.
    ///
    /// # Errors
    /// A cell that the type cannot hold, which is never a matter of rounding.
    pub(super) fn of(&self, column: &Column) -> PolarsResult<Column> {
        let name = column.name().clone();
        let series = column.as_materialized_series();
        Ok(match self {
            Self::Cast(dtype) if series.dtype() == dtype => column.clone(),
            Self::Cast(dtype @ DataType::Duration(_)) if series.dtype() == &DataType::Int64 => {
                column.cast(dtype)?
            }
            Self::Cast(DataType::Datetime(unit, _)) if matches!(series.dtype(), DataType::Datetime(..)) => {
                // The moment in UTC; the zone is part of the name of the type.
                column.cast(&DataType::Int64)?.cast(&DataType::Datetime(*unit, None))?
            }
            Self::Cast(dtype) => series.strict_cast(dtype)?.into_column(),
            Self::Nothing => Series::full_null(name, series.len(), &DataType::String).into_column(),
            Self::BytesToText => {
                let cells = series.binary()?.iter().map(|bytes| bytes.map(text).transpose());
                cells.collect::<PolarsResult<StringChunked>>()?.with_name(name).into_column()
            }
            Self::HalfToNumber => match series.dtype() {
                DataType::Binary => {
                    let half = |bytes: &[u8]| f64_of_half(u16::from_le_bytes([bytes[0], bytes[1]]));
                    let cells = series.binary()?.iter().map(|b| b.filter(|b| b.len() == 2).map(half));
                    cells.collect::<Float64Chunked>().with_name(name).into_column()
                }
                _ => column.cast(&DataType::Float64)?,
            },
            Self::DecimalToInteger | Self::DecimalToNumber => {
                let decimals = series.decimal()?;
                let scale = decimals.scale();
                let cells = decimals.physical().iter();
                if *self == Self::DecimalToInteger {
                    let cells =
                        cells.map(|v| v.map(|v| i64::try_from(v).map_err(|_| too_long())).transpose());
                    cells.collect::<PolarsResult<Int64Chunked>>()?.with_name(name).into_column()
                } else {
                    let cells = cells.map(|v| v.map(|v| f64_of_decimal(v, scale)).transpose());
                    cells.collect::<PolarsResult<Float64Chunked>>()?.with_name(name).into_column()
                }
            }
        })
    }
}

fn text(bytes: &[u8]) -> PolarsResult<&str> {
    std::str::from_utf8(bytes).map_err(|_| PolarsError::ComputeError("bytes that are not UTF-8".into()))
}

/// True when all cells of a column of bytes are UTF-8.
pub(super) fn is_text(column: &Column) -> PolarsResult<bool> {
    let bytes = column.as_materialized_series().binary()?;
    Ok(bytes.iter().flatten().all(|bytes| std::str::from_utf8(bytes).is_ok()))
}

/// The number nearest to `unscaled` · 10^-`scale`.
///
/// Up to 2^53 and 10^22 both are numbers themselves, and their quotient is rounded once; beyond, the digits
/// are read as those of a text would be. A whole number beyond 2^53 is an id rather than a measurement and
/// must not be rounded.
fn f64_of_decimal(unscaled: i128, scale: usize) -> PolarsResult<f64> {
    const EXACT: i128 = 1 << 53;
    if unscaled.abs() <= EXACT && scale <= 22 {
        return Ok(unscaled as f64 / 10_f64.powi(scale as i32));
    }
    let whole = u32::try_from(scale).ok().and_then(|scale| 10_i128.checked_pow(scale));
    if whole.is_some_and(|power| unscaled % power == 0 && (unscaled / power).abs() > EXACT) {
        return Err(too_long());
    }
    format!("{unscaled}e-{scale}").parse().map_err(|_| too_long())
}

fn too_long() -> PolarsError {
    PolarsError::ComputeError("a decimal holds more digits than a number keeps".into())
}

/// IEEE 754 binary16, every value of which is a double.
pub(super) fn f64_of_half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_keep_their_value() {
        // From numpy.float16(x).view(numpy.uint16), numpy 2.1.
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x5093, 36.59375),
            (0x0001, 5.960464477539063e-8),
            (0x7bff, 65504.0),
            (0xfc00, f64::NEG_INFINITY),
            (0x8000, -0.0),
        ] {
            assert_eq!(f64_of_half(bits).to_bits(), f64::to_bits(value), "{bits:#x}");
        }
        assert!(f64_of_half(0x7e00).is_nan());
    }

    #[test]
    fn decimals_are_the_numbers_their_digits_say() {
        for (unscaled, scale, text) in [
            (208_i128, 2, "2.08"),
            (-1, 9, "-0.000000001"),
            (123_456_789_012_345_678, 3, "123456789012345.678"),
            (
                99_999_999_999_999_999_999_999_999_999_999_999_999,
                37,
                "9.9999999999999999999999999999999999999",
            ),
            (10_000_000_000, 10, "1"),
        ] {
            assert_eq!(f64_of_decimal(unscaled, scale).unwrap(), text.parse::<f64>().unwrap(), "{text}");
        }
        // An id of 18 digits in a column with ten decimal places.
        assert!(f64_of_decimal(123_456_789_012_345_678 * 10_000_000_000, 10).is_err());
    }
}
