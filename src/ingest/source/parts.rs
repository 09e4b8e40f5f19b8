//! A table in several files, as Spark and DuckDB write it: their rows follow each other in the order of the
//! files' names. Columns are matched by name; a file that lacks one, or has one more, belongs to another
//! table.

use polars_core::prelude::*;

use super::column::{StoredColumn, StoredType};
use super::{Part, Source, open_table};
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;

impl Source {
    /// Reads the headers of the files of one table.
    ///
    /// # Errors
    /// A file that cannot be opened, or is not what its name says; a file whose columns are not those of the
    /// first.
    pub(in crate::ingest) fn open_parts(files: Vec<SourceFile>) -> Result<Self, IngestError> {
        let mut parts: Vec<Part> = Vec::with_capacity(files.len());
        for file in &files {
            let (table, columns) = open_table(file)?;
            let places = match parts.first() {
                None => (0..columns.len()).collect(),
                Some(first) => matched(file, &columns, &files[0], &first.columns)?,
            };
            parts.push(Part { table, places, columns });
        }
        let (Some(file), Some(first)) = (files.first().cloned(), parts.first()) else {
            return Err(IngestError::NoFiles("the input".into()));
        };
        let mut columns = first.columns.clone();
        for (i, column) in columns.iter_mut().enumerate() {
            for (file, part) in files.iter().zip(&parts).skip(1) {
                let other = &part.columns[part.places[i]].stored;
                column.stored = common(&column.stored, other).ok_or_else(|| IngestError::PartType {
                    file: file.name.clone(),
                    column: column.name.clone(),
                    found: other.name().into(),
                    first: files[0].name.clone(),
                    expected: column.stored.name().into(),
                })?;
            }
        }
        Ok(Self { file, files, columns, parts })
    }

    /// The columns of a part in the types of the whole table.
    pub(super) fn as_first(
        &self,
        file: usize,
        part: &Part,
        columns: &[usize],
        frame: DataFrame,
    ) -> Result<DataFrame, IngestError> {
        let needs =
            |column: &usize| self.columns[*column].stored != part.columns[part.places[*column]].stored;
        if self.parts.len() == 1 || !columns.iter().any(needs) {
            return Ok(frame);
        }
        let cast = frame.columns().iter().zip(columns).map(|(cells, column)| {
            match (&self.columns[*column].stored, cells.dtype()) {
                (StoredType::Number, DataType::Int64) => cells.cast(&DataType::Float64),
                (StoredType::Text, DataType::String) => Ok(cells.clone()),
                (StoredType::Text, _) => cells.cast(&DataType::String),
                _ => Ok(cells.clone()),
            }
        });
        cast.collect::<PolarsResult<Vec<_>>>()
            .and_then(|cells| DataFrame::new(frame.height(), cells))
            .map_err(|e| super::engine(&self.files[file], e))
    }
}

impl StoredType {
    /// For messages.
    pub(in crate::ingest) fn name(&self) -> &str {
        match self {
            Self::Text => "text",
            Self::Boolean => "booleans",
            Self::Integer => "whole numbers",
            Self::Number => "numbers",
            Self::Temporal(name) | Self::Unreadable(name) => name,
        }
    }
}

/// The type that holds the cells of both files.
fn common(one: &StoredType, other: &StoredType) -> Option<StoredType> {
    use StoredType as T;
    match (one, other) {
        (a, b) if a == b => Some(a.clone()),
        (T::Integer, T::Number) | (T::Number, T::Integer) => Some(T::Number),
        // A column without a value in one of the files has no type there and counts as text.
        (T::Text, T::Integer) | (T::Integer, T::Text) => Some(T::Text),
        _ => None,
    }
}

/// For each column of the first file, its place in another.
fn matched(
    file: &SourceFile,
    columns: &[StoredColumn],
    first: &SourceFile,
    expected: &[StoredColumn],
) -> Result<Vec<usize>, IngestError> {
    let place = |name: &str, columns: &[StoredColumn]| columns.iter().position(|c| c.name == name);
    let names = |of: &[StoredColumn], without: &[StoredColumn]| -> Vec<String> {
        let missing = of.iter().filter(|c| place(&c.name, without).is_none());
        missing.map(|c| format!("`{}`", c.name)).collect()
    };
    let (lacks, adds) = (names(expected, columns), names(columns, expected));
    if !lacks.is_empty() || !adds.is_empty() {
        return Err(IngestError::PartColumns {
            file: file.name.clone(),
            first: first.name.clone(),
            lacks: lacks.join(", "),
            adds: adds.join(", "),
        });
    }
    Ok(expected.iter().filter_map(|c| place(&c.name, columns)).collect())
}
