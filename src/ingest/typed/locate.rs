//! Words for a cell that is not of its declared type.

use crate::schema::DType;

use super::file::TypedFile;
use crate::ingest::IngestError;
use crate::ingest::source::Place;

/// The error of a cell of another type, at a row or in a line of a text file.
pub(in crate::ingest) fn wrong(typed: &TypedFile, column: usize, place: Place) -> IngestError {
    let wanted = &typed.wanted[column];
    let (file, column) = (typed.file.name.clone(), wanted.name.clone());
    let (expected, remedy) = (expected(wanted.dtype).into(), remedy(wanted.dtype).into());
    match place {
        Place::Row(row) => IngestError::WrongType { file, row, column, expected, remedy },
        Place::Line(line) => IngestError::WrongCellInLine { file, line, column, expected, remedy },
    }
}

/// What a type allows, to complete "column `x` is not …".
pub(in crate::ingest) const fn expected(dtype: DType) -> &'static str {
    match dtype {
        DType::Integer => "a whole number",
        DType::Float => "a number",
        DType::Text => "text",
        DType::Datetime => "a time as YYYY-MM-DD HH:MM:SS",
        DType::Elapsed => "an elapsed time as HH:MM",
        DType::Minutes => "a number of minutes",
        DType::Hour => "a whole number of an hour",
        DType::Quantity => "a number with or without a unit",
    }
}

/// What to do about a cell of another type.
pub(in crate::ingest) const fn remedy(dtype: DType) -> &'static str {
    match dtype {
        DType::Integer => {
            "write whole numbers without separators, or declare the column as text in the schema"
        }
        DType::Float => {
            "use a decimal point and leave missing cells empty, or declare the column as text in the schema"
        }
        DType::Text => "declare another type in the schema",
        DType::Datetime => "write times as 2164-10-23 21:09:00, or leave the cell empty",
        DType::Elapsed => {
            "write hours and minutes since the record's start as 07:30, or leave the cell empty"
        }
        DType::Minutes => "write minutes since the record's start as a number, or leave the cell empty",
        DType::Hour => "write the hour of the record, counted from 1, or leave the cell empty",
        DType::Quantity => "write a number, perhaps with its unit behind it, or declare the column as text",
    }
}
