//! Tables written for people and programs: the bundle's `features.parquet`, and scores, flags and samples as
//! CSV, Parquet or an Arrow stream.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use polars_core::prelude as pl;
use rayon::prelude::*;

use crate::error::IoError;
use crate::ingest::arrow_stream::ArrowStream;
use crate::ingest::parquet_out::parquet;
use crate::ingest::text::is_formula;
use crate::output::Staged;
use crate::schema::Split;

use super::{Cells, Column, IngestError, RecordTable, Spelling};

/// What stands before the name of a column of ours where a column of the user's has the same name.
const OURS: &str = "cohort_flow.";
/// Records of a row group of `features.parquet`: its columns are in memory twice while it is written, and
/// once while it is read.
const ROW_GROUP: usize = 1 << 16;

/// A named column of an output table.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    /// Header.
    pub name: String,
    /// Cells.
    pub cells: OutputCells,
    /// How its numbers are written in a text file; plainly unless said otherwise.
    spelling: Option<Spelling>,
}

/// Cells of an output column.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputCells {
    /// Real numbers; NaN is an empty cell, or null.
    Number(Vec<f64>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// `true` or `false`.
    Boolean(Vec<bool>),
    /// Text.
    Text(Vec<Option<String>>),
}

impl OutputColumn {
    /// A column of these cells.
    pub fn new(name: impl Into<String>, cells: OutputCells) -> Self {
        Self { name: name.into(), cells, spelling: None }
    }

    /// Writes numbers as a training table had them, with its decimal mark and unit, so that a model reads its
    /// own samples.
    #[must_use]
    pub fn spelt(self, spelling: &Spelling) -> Self {
        let spelling = (!spelling.writes_plainly()).then(|| spelling.clone());
        Self { spelling, ..self }
    }

    fn csv_field(&self, row: usize) -> String {
        match (&self.spelling, &self.cells) {
            (Some(spelling), OutputCells::Number(v)) if !v[row].is_nan() => spelling.written(v[row]),
            _ => self.cells.csv_field(row),
        }
    }
}

impl OutputCells {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Number(v) => v.len(),
            Self::Integer(v) => v.len(),
            Self::Boolean(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// True without any row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn csv_field(&self, row: usize) -> String {
        match self {
            Self::Number(v) if v[row].is_nan() => String::new(),
            // The shortest text that reads back to the same bits, with an exponent where digits would run on.
            Self::Number(v) => format!("{:?}", v[row]),
            Self::Integer(v) => v[row].map_or_else(String::new, |x| x.to_string()),
            Self::Boolean(v) => v[row].to_string(),
            Self::Text(v) => v[row].as_deref().map_or_else(String::new, formula_safe),
        }
    }
}

/// A text that spreadsheets do not run: a formula gets an apostrophe in front (OWASP, "CSV injection"), which
/// our own reader takes away again. Levels such as `+`, `-` and `+/-` are no formulas and stay as they are.
pub(super) fn formula_safe(text: &str) -> String {
    if is_formula(text) { format!("'{text}") } else { text.to_string() }
}

/// Writes columns as CSV (`.csv`), Parquet (`.parquet`) or an Arrow stream (`.arrow`), whole or not at all.
/// Where two columns have one name, the later one is the user's and keeps it, and the earlier one is ours and
/// gets `cohort_flow.` in front.
///
/// # Errors
/// Another extension; an existing file without `force`; I/O failures.
///
/// # Panics
/// If the columns differ in length.
pub fn write_table(path: &Path, columns: &[OutputColumn], force: bool) -> Result<(), IngestError> {
    let rows = columns.first().map_or(0, |c| c.cells.len());
    assert!(columns.iter().all(|c| c.cells.len() == rows), "columns of one length");
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let write: fn(&Path, &[OutputColumn], usize) -> Result<(), IngestError> = match extension.as_deref() {
        Some("csv") => write_csv,
        Some("parquet") => write_parquet,
        Some("arrow") => write_arrow,
        _ => return Err(IngestError::OutputFormat(path.display().to_string())),
    };
    let staged = Staged::file(path, force)?;
    write(staged.path(), &with_names_of_their_own(columns), rows)?;
    Ok(staged.commit()?)
}

/// Writes the records of a table with ids and splits, one column per feature in original units, missing as
/// null.
///
/// # Errors
/// I/O failures.
///
/// # Panics
/// If there is not one split per record.
pub fn write_features(path: &Path, table: &RecordTable, splits: &[Split]) -> Result<(), IngestError> {
    write_records(path, table, &table.columns, splits)
}

/// Writes the same with the labels in the place of the features.
///
/// # Errors
/// I/O failures.
///
/// # Panics
/// If there is not one split per record.
pub fn write_labels(path: &Path, table: &RecordTable, splits: &[Split]) -> Result<(), IngestError> {
    write_records(path, table, &table.labels, splits)
}

fn write_records(
    path: &Path,
    table: &RecordTable,
    written: &[Column],
    splits: &[Split],
) -> Result<(), IngestError> {
    assert_eq!(splits.len(), table.n_records(), "one split per record");
    let others: HashSet<&str> = written.iter().map(|c| c.name.as_str()).collect();
    let names =
        ["record_id", "subject_id", "split"].map(|name| pl::PlSmallStr::from(our_name(name, &others)));
    let block = |from: usize, to: usize| {
        let rows = from..to;
        let ids: Vec<&str> = rows.clone().map(|i| &table.record_ids[i]).collect();
        let subjects: Vec<&str> = rows.clone().map(|i| table.subject(i)).collect();
        let of: Vec<&str> = splits[rows].iter().map(|s| s.name()).collect();
        let ours = names.iter().cloned().zip([ids, subjects, of]);
        let mut columns: Vec<pl::Column> = ours.map(|(name, list)| pl::Column::new(name, list)).collect();
        columns.par_extend(written.par_iter().map(|column| {
            let mut x = vec![0.0; to - from];
            match &column.cells {
                Cells::Number(all) => {
                    all.read(from, &mut x);
                    numbers(&column.name, x)
                }
                Cells::Text(texts) => {
                    texts.codes().read(from, &mut x);
                    let list: Vec<Option<&str>> = x.into_iter().map(|code| texts.text(code)).collect();
                    pl::Column::new(column.name.as_str().into(), list)
                }
            }
        }));
        pl::DataFrame::new(to - from, columns)
    };
    let failed =
        |e: pl::PolarsError| IngestError::Write { file: path.display().to_string(), source: Box::new(e) };
    let n = table.n_records();
    let first = block(0, n.min(ROW_GROUP)).map_err(failed)?;
    let file = File::create(path).map_err(IoError::on("create", path))?;
    let mut writer = parquet(file, first.schema()).batched(first.schema()).map_err(failed)?;
    writer.write_batch(&first).map_err(failed)?;
    drop(first);
    for from in (0..n).step_by(ROW_GROUP).skip(1) {
        let block = block(from, n.min(from + ROW_GROUP)).map_err(failed)?;
        writer.write_batch(&block).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    Ok(())
}

fn with_names_of_their_own(columns: &[OutputColumn]) -> Cow<'_, [OutputColumn]> {
    let mut later: HashSet<&str> = HashSet::with_capacity(columns.len());
    if columns.iter().all(|c| later.insert(&c.name)) {
        return Cow::Borrowed(columns);
    }
    let mut named = columns.to_vec();
    for i in (0..columns.len()).rev() {
        let others: HashSet<&str> =
            named.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, c)| c.name.as_str()).collect();
        let repeats = named[i + 1..].iter().any(|c| c.name == named[i].name);
        if repeats {
            named[i].name = our_name(&named[i].name, &others);
        }
    }
    Cow::Owned(named)
}

/// The name of a column of ours beside columns of the user's, which keep their names.
fn our_name(name: &str, others: &HashSet<&str>) -> String {
    let mut ours = name.to_string();
    while others.contains(ours.as_str()) {
        ours = format!("{OURS}{ours}");
    }
    ours
}

/// The name under which a column of ours stands in a table with these columns.
pub fn find_our_name(name: &str, columns: &[String]) -> String {
    let mut ours = name.to_string();
    while columns.contains(&format!("{OURS}{ours}")) {
        ours = format!("{OURS}{ours}");
    }
    ours
}

/// A column of numbers, NaN as null.
fn numbers(name: &str, x: Vec<f64>) -> pl::Column {
    let present = x.iter().any(|x| x.is_nan()).then(|| x.iter().map(|x| !x.is_nan()).collect());
    pl::IntoColumn::into_column(pl::Float64Chunked::from_vec_validity(name.into(), x, present))
}

fn write_csv(path: &Path, columns: &[OutputColumn], rows: usize) -> Result<(), IngestError> {
    let failed = |e: csv::Error| IngestError::Write { file: path.display().to_string(), source: Box::new(e) };
    let mut writer = csv::Writer::from_path(path).map_err(failed)?;
    // Names come from the user's own table and are kept as they are, so that they are found again.
    writer.write_record(columns.iter().map(|c| &c.name)).map_err(failed)?;
    for row in 0..rows {
        writer.write_record(csv_record(columns, row)).map_err(failed)?;
    }
    writer.flush().map_err(IoError::on("write", path))?;
    Ok(())
}

/// One row as it is written to CSV.
pub(super) fn csv_record(columns: &[OutputColumn], row: usize) -> impl Iterator<Item = String> {
    columns.iter().map(move |c| c.csv_field(row))
}

fn write_parquet(path: &Path, columns: &[OutputColumn], rows: usize) -> Result<(), IngestError> {
    let failed =
        |e: pl::PolarsError| IngestError::Write { file: path.display().to_string(), source: Box::new(e) };
    write_frame(path, frame(columns, rows).map_err(failed)?)
}

fn write_arrow(path: &Path, columns: &[OutputColumn], rows: usize) -> Result<(), IngestError> {
    let failed =
        |e: pl::PolarsError| IngestError::Write { file: path.display().to_string(), source: Box::new(e) };
    let mut stream = ArrowStream::new(File::create(path).map_err(IoError::on("create", path))?);
    stream.write(&mut frame(columns, rows).map_err(failed)?).map_err(failed)?;
    stream.finish().map_err(failed)
}

/// Columns as a frame, NaN as null.
pub(super) fn frame(columns: &[OutputColumn], rows: usize) -> pl::PolarsResult<pl::DataFrame> {
    let column = |c: &OutputColumn| {
        let name = pl::PlSmallStr::from(c.name.as_str());
        match &c.cells {
            OutputCells::Number(v) => numbers(&c.name, v.clone()),
            OutputCells::Integer(v) => pl::Column::new(name, v.as_slice()),
            OutputCells::Boolean(v) => pl::Column::new(name, v.as_slice()),
            OutputCells::Text(v) => pl::Column::new(name, v.as_slice()),
        }
    };
    pl::DataFrame::new(rows, columns.iter().map(column).collect())
}

fn write_frame(path: &Path, mut frame: pl::DataFrame) -> Result<(), IngestError> {
    let failed =
        |e: pl::PolarsError| IngestError::Write { file: path.display().to_string(), source: Box::new(e) };
    let file = File::create(path).map_err(IoError::on("create", path))?;
    let writer = parquet(file, frame.schema());
    writer.finish(&mut frame).map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Kind;

    fn columns() -> Vec<OutputColumn> {
        let text = |list: [&str; 3]| {
            OutputCells::Text(list.map(|t| (!t.is_empty()).then(|| t.to_string())).to_vec())
        };
        vec![
            OutputColumn::new("record_id", text(["=cmd()", "-5", "a,\"b\""])),
            OutputColumn::new("log_prob", OutputCells::Number(vec![-1e-7, f64::NAN, 0.1])),
            OutputColumn::new("flagged", OutputCells::Boolean(vec![true, false, true])),
            OutputColumn::new("n", OutputCells::Integer(vec![Some(1), None, Some(3)])),
            OutputColumn::new("note", text(["", "@x", "+x"])),
        ]
    }

    #[test]
    fn csv_cells_are_quoted_and_no_formulas() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flags.csv");
        write_table(&path, &columns(), false).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "record_id,log_prob,flagged,n,note\n'=cmd(),-1e-7,true,1,\n-5,,false,,'@x\n\
                        \"a,\"\"b\"\"\",0.1,true,3,+x\n";
        assert_eq!(text, expected);
        assert!(matches!(write_table(&path, &columns(), false), Err(IngestError::Output(_))));
        write_table(&path, &columns(), true).unwrap();
    }

    #[test]
    fn parquet_reads_back_with_its_nulls() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flags.parquet");
        write_table(&path, &columns(), false).unwrap();
        let expected =
            [("log_prob", Kind::Continuous), ("note", Kind::Categorical), ("flagged", Kind::Binary)];
        let table = crate::ingest::read_columns(&path, &expected).unwrap();
        assert_eq!(table.record_ids, ["=cmd()", "-5", "a,\"b\""]);
        let Cells::Number(x) = &table.columns[0].cells else { panic!() };
        assert_eq!(x.get(0), -1e-7);
        assert!(x.get(1).is_nan());
        assert_eq!(table.columns[1].cells, Cells::Text(vec![None, Some("@x"), Some("+x")].into()));
        assert_eq!(table.columns[2].cells, Cells::Number(vec![1.0, 0.0, 1.0].into()));
    }

    #[test]
    fn a_users_column_keeps_its_name_beside_ours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("draws.csv");
        let number = |name: &str, x: f64| OutputColumn::new(name, OutputCells::Number(vec![x]));
        write_table(&path, &[number("score", 1.0), number("x", 2.0), number("score", 3.0)], false).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "cohort_flow.score,x,score\n1.0,2.0,3.0\n");
        let names = crate::ingest::column_names(&path).unwrap();
        assert_eq!(
            (find_our_name("score", &names), find_our_name("x", &names)),
            ("cohort_flow.score".into(), "x".into())
        );
    }

    #[test]
    fn other_extensions_are_refused() {
        let error = write_table(Path::new("scores.xlsx"), &columns(), false).unwrap_err();
        assert!(matches!(error, IngestError::OutputFormat(_)));
    }
}
