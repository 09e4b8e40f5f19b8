//! Words for a cell that is not of its declared type.

use crate::schema::DType;

use super::file::TypedFile;
use crate::ingest::IngestError;

/// The error of a cell of another type.
pub(in crate::ingest) fn wrong(typed: &TypedFile, column: usize, row: u64) -> IngestError {
    let wanted = &typed.wanted[column];
    IngestError::WrongType {
        file: typed.file.name.clone(),
        row,
        column: wanted.name.clone(),
        expected: expected(wanted.dtype).into(),
        remedy: remedy(wanted.dtype).into(),
    }
}

/// The same, with the line of a text file.
pub(in crate::ingest) fn wrong_in_line(typed: &TypedFile, column: usize, line: u64) -> IngestError {
    let wanted = &typed.wanted[column];
    IngestError::WrongCellInLine {
        file: typed.file.name.clone(),
        line,
        column: wanted.name.clone(),
        expected: expected(wanted.dtype).into(),
        remedy: remedy(wanted.dtype).into(),
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
    }
}
