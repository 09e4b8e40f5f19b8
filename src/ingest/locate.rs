//! Finds the first cell of a file that is not of its declared type, to name its row and column.

use crate::schema::DType;

use super::IngestError;
use super::batch::whole;
use super::files::Format;
use super::scan::TypedFile;
use super::text::{parse_datetime, parse_elapsed};

/// Reads the file again, row by row; `None` when nothing is wrong with its cells. `column` limits the search.
pub(super) fn wrong_cell(file: &TypedFile, column: Option<usize>) -> Option<IngestError> {
    match file.file.format {
        Format::Csv => in_csv(file, column).err(),
        // Parquet columns have their type; what can still be wrong are texts of times and fractions in ids.
        Format::Parquet | Format::Arrow => in_parquet(file, column?).err(),
    }
}

fn in_csv(typed: &TypedFile, only: Option<usize>) -> Result<(), IngestError> {
    let file = &typed.file;
    let mut records = file.records()?;
    let mut record = csv::ByteRecord::new();
    let mut fields = 0;
    for row in 0.. {
        if !records.read_byte_record(&mut record).map_err(|e| file.csv_error(e, row))? {
            break;
        }
        if row == 0 {
            fields = record.len();
            continue;
        }
        if record.len() > fields {
            let (found, expected) = (record.len() as u64, fields as u64);
            return Err(IngestError::Ragged { file: file.name.clone(), row, found, expected });
        }
        for (i, (at, wanted)) in typed.positions.iter().zip(&typed.wanted).enumerate() {
            if only.is_some_and(|c| c != i) {
                continue;
            }
            let field = record.get(*at).unwrap_or_default();
            let Ok(text) = std::str::from_utf8(field) else {
                return Err(IngestError::NotUtf8 { file: file.name.clone(), row });
            };
            if !text.is_empty() && !is(text, wanted.dtype) {
                return Err(wrong(typed, i, row));
            }
        }
    }
    Ok(())
}

fn in_parquet(typed: &TypedFile, column: usize) -> Result<(), IngestError> {
    let mut before = 0;
    typed
        .scan(|columns, _| {
            let cells = &columns[column];
            for row in 0..cells.len() {
                let right = match typed.wanted[column].dtype {
                    DType::Datetime => cells.datetime(row).is_ok(),
                    DType::Elapsed => cells.elapsed(row).is_ok(),
                    DType::Integer => cells.key(row).is_ok(),
                    DType::Float | DType::Text => true,
                };
                if !right {
                    return Err(wrong(typed, column, before + row as u64 + 1));
                }
            }
            before += cells.len() as u64;
            Ok(())
        })
        .map(drop)
}

fn is(text: &str, dtype: DType) -> bool {
    match dtype {
        DType::Integer => text.parse::<i64>().is_ok() || text.parse().ok().and_then(whole).is_some(),
        DType::Float => text.parse::<f64>().is_ok(),
        DType::Text => true,
        DType::Datetime => text.trim().is_empty() || parse_datetime(text).is_some(),
        DType::Elapsed => text.trim().is_empty() || parse_elapsed(text).is_some(),
    }
}

/// The error of a cell of another type.
pub(super) fn wrong(typed: &TypedFile, column: usize, row: u64) -> IngestError {
    let wanted = &typed.wanted[column];
    IngestError::WrongType {
        file: typed.file.name.clone(),
        row,
        column: wanted.name.clone(),
        expected: expected(wanted.dtype).into(),
        remedy: remedy(wanted.dtype).into(),
    }
}

/// What a type allows, to complete "column `x` is not …".
pub(super) const fn expected(dtype: DType) -> &'static str {
    match dtype {
        DType::Integer => "a whole number",
        DType::Float => "a number",
        DType::Text => "text",
        DType::Datetime => "a time as YYYY-MM-DD HH:MM:SS",
        DType::Elapsed => "an elapsed time as HH:MM",
    }
}

/// What to do about a cell of another type.
pub(super) const fn remedy(dtype: DType) -> &'static str {
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
