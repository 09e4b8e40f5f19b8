//! The rows of a part as Parquet: `record_id` and what identifies a row in the whole, then the features `x0`,
//! `x1`, … and the labels `y0`, `y1`, … in the order of the manifest, which has their names.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use polars_core::prelude as pl;
use polars_io::SerReader;
use polars_io::prelude as io;

use super::error::PartError;
use super::manifest::Head;
use crate::error::IoError;
use crate::ingest::parquet_out::parquet;
use crate::ingest::{Cells, Column, IngestError, Names, Texts};
use crate::schema::Split;

pub(super) const ROWS: &str = "rows.parquet";

/// Where the rows of a part stand in the whole.
#[derive(Debug, Clone)]
pub(super) enum Places {
    /// The record of each row.
    Records(Names),
    /// Rows of a wide table by their numbers from 0, with the number of the row that each copies.
    Rows(Vec<u32>, Vec<Option<u32>>),
}

/// All that a part holds of its rows.
#[derive(Debug, Clone)]
pub(super) struct PartRows {
    pub(super) record_ids: Names,
    pub(super) places: Places,
    pub(super) subjects: Option<Texts>,
    pub(super) splits: Option<Vec<Split>>,
    pub(super) columns: Vec<Column>,
    pub(super) labels: Vec<Column>,
}

impl PartRows {
    /// Writes the rows.
    pub(super) fn write(&self, path: &Path) -> Result<(), IngestError> {
        let n = self.record_ids.len();
        let texts = |name: &str, list: Vec<Option<&str>>| pl::Column::new(name.into(), list);
        let mut columns = vec![texts("record_id", self.record_ids.iter().map(Some).collect())];
        match &self.places {
            Places::Records(records) => columns.push(texts("record", records.iter().map(Some).collect())),
            Places::Rows(rows, copies) => {
                let row: Vec<i64> = rows.iter().map(|row| i64::from(*row)).collect();
                let copy_of: Vec<Option<i64>> = copies.iter().map(|row| row.map(i64::from)).collect();
                columns.push(pl::Column::new("row".into(), row));
                columns.push(pl::Column::new("copy_of".into(), copy_of));
            }
        }
        if let Some(subjects) = &self.subjects {
            columns.push(texts("subject_id", subjects.iter().collect()));
        }
        if let Some(splits) = &self.splits {
            columns.push(texts("split", splits.iter().map(|split| Some(split.name())).collect()));
        }
        for (kind, list) in [("x", &self.columns), ("y", &self.labels)] {
            for (j, column) in list.iter().enumerate() {
                let name = format!("{kind}{j}");
                columns.push(match &column.cells {
                    Cells::Number(x) => {
                        let x: Vec<Option<f64>> = x.iter().map(|x| (!x.is_nan()).then_some(x)).collect();
                        pl::Column::new(name.into(), x)
                    }
                    Cells::Text(t) => texts(&name, t.iter().collect()),
                });
            }
        }
        let failed =
            |e: pl::PolarsError| IngestError::Write { file: path.display().to_string(), source: Box::new(e) };
        let mut frame = pl::DataFrame::new(n, columns).map_err(failed)?;
        let file = File::create(path).map_err(IoError::on("create", path))?;
        let writer = parquet(file, frame.schema());
        writer.finish(&mut frame).map_err(failed)?;
        Ok(())
    }

    /// Reads the rows of a part whose columns are these.
    pub(super) fn read(path: &Path, bytes: Vec<u8>, heads: (&[Head], &[Head])) -> Result<Self, PartError> {
        let damaged = |what: String| PartError::Damaged { path: path.to_path_buf(), what };
        let frame = io::ParquetReader::new(Cursor::new(bytes)).finish();
        // A message of the reader may quote cells.
        let frame = frame.map_err(|_| damaged("it is no Parquet file that can be read".into()))?;
        let lacks = |name: &str| damaged(format!("it has no column `{name}` of the expected type"));
        let texts = |name: &str| -> Result<Texts, PartError> {
            let column = frame.column(name).ok().and_then(|column| column.str().ok());
            Ok(column.ok_or_else(|| lacks(name))?.iter().collect())
        };
        let names = |name: &str| -> Result<Names, PartError> {
            let texts = texts(name)?;
            let all: Option<Vec<&str>> = texts.iter().collect();
            Ok(all.ok_or_else(|| lacks(name))?.into())
        };
        let whole = |name: &str| -> Result<Vec<Option<u32>>, PartError> {
            let column = frame.column(name).ok().and_then(|column| column.i64().ok());
            let rows = column.ok_or_else(|| lacks(name))?.iter();
            Ok(rows.map(|row| row.and_then(|row| u32::try_from(row).ok())).collect())
        };
        let has = |name: &str| frame.column(name).is_ok();
        let places = if has("record") {
            Places::Records(names("record")?)
        } else {
            let rows: Option<Vec<u32>> = whole("row")?.into_iter().collect();
            Places::Rows(rows.ok_or_else(|| lacks("row"))?, whole("copy_of")?)
        };
        let splits = if has("split") {
            let named = texts("split")?;
            let split = |name: Option<&str>| Split::ALL.iter().copied().find(|s| Some(s.name()) == name);
            let splits: Option<Vec<Split>> = named.iter().map(split).collect();
            Some(splits.ok_or_else(|| lacks("split"))?)
        } else {
            None
        };
        let columns = |kind: &str, heads: &[Head]| -> Result<Vec<Column>, PartError> {
            let column = |(j, head): (usize, &Head)| {
                let name = format!("{kind}{j}");
                if head.is_text {
                    return Ok(head.with(Cells::Text(texts(&name)?)));
                }
                let x = frame.column(&name).ok().and_then(|column| column.f64().ok());
                let x = x.ok_or_else(|| lacks(&name))?.iter().map(|x| x.unwrap_or(f64::NAN));
                Ok(head.with(Cells::Number(x.collect())))
            };
            heads.iter().enumerate().map(column).collect()
        };
        Ok(Self {
            record_ids: names("record_id")?,
            places,
            subjects: if has("subject_id") { Some(texts("subject_id")?) } else { None },
            splits,
            columns: columns("x", heads.0)?,
            labels: columns("y", heads.1)?,
        })
    }
}
