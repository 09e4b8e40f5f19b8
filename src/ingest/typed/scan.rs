//! Typed, streaming reads of one table file: only the columns asked for, rows of other items left behind by
//! the reader itself. Parquet is read by Polars, CSV by `delimited/`.

use polars_core::prelude::*;

use crate::schema;

use super::batch::BatchColumn;
use super::calendar::Zoned;
use super::delimited;
use super::file::{ItemSet, TypedFile};
use super::locate;
use super::passed::{Note, Passed};
use super::stored::{self, Unfit};
use crate::ingest::IngestError;
use crate::ingest::files::Format;
use crate::ingest::source::{Place, StoredTable, engine};

impl TypedFile {
    /// Rows of the file, all of them, in its own order.
    ///
    /// # Errors
    /// Malformed rows, unless they are skipped; what `each` finds.
    pub(in crate::ingest) fn scan<F>(&self, mut each: F) -> Result<Passed, IngestError>
    where
        F: FnMut(&[BatchColumn], Passed) -> Result<(), IngestError>,
    {
        if self.file.format == Format::Csv {
            return delimited::scan(self, None, each);
        }
        let mut passed = Passed::default();
        StoredTable::open(&self.file)?.read(&self.positions, |df| {
            let columns = self.columns(&df, passed.rows, None, &mut passed)?;
            passed.rows += df.height() as u64;
            each(&columns, passed)
        })?;
        passed.bytes = self.file.size();
        Ok(passed)
    }

    /// Rows whose wanted column `item` is in the set; what has passed counts all rows, those left behind too.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub(in crate::ingest) fn scan_items<F>(
        &self,
        item: usize,
        items: &ItemSet,
        mut each: F,
    ) -> Result<Passed, IngestError>
    where
        F: FnMut(&[BatchColumn], Passed) -> Result<(), IngestError>,
    {
        if self.file.format == Format::Csv {
            return delimited::scan(self, Some((item, items)), each);
        }
        let mut passed = Passed::default();
        StoredTable::open(&self.file)?.read(&self.positions, |df| {
            let before = passed.rows;
            passed.rows += df.height() as u64;
            // The item decides first: most rows of a table are of items that nobody asked for.
            let unfit = |fault| self.unfit(fault, item, before, None);
            let (column, _) = stored::convert(&df.columns()[item], self.wanted[item].dtype).map_err(unfit)?;
            let mask = items.mask(&column).map_err(|row| self.unfit(Unfit::Row(row), item, before, None))?;
            if !mask.iter().any(|wanted| *wanted) {
                return Ok(());
            }
            let chosen: BooleanChunked = mask.iter().map(|wanted| Some(*wanted)).collect();
            let kept = df.filter(&chosen).map_err(|e| self.unfit(Unfit::Engine(e), item, before, None))?;
            let columns = self.columns(&kept, before, Some(&mask), &mut passed)?;
            each(&columns, passed)
        })?;
        // A store has left behind what its source has besides.
        let passed = self.cached.as_ref().map_or(passed, Note::passed);
        Ok(Passed { bytes: self.file.size(), ..passed })
    }

    /// The columns of a stretch that begins after `before` rows; `mask` tells which of its rows they are.
    fn columns(
        &self,
        df: &DataFrame,
        before: u64,
        mask: Option<&[bool]>,
        passed: &mut Passed,
    ) -> Result<Vec<BatchColumn>, IngestError> {
        let mut columns = Vec::with_capacity(self.wanted.len());
        for (i, (column, wanted)) in df.columns().iter().zip(&self.wanted).enumerate() {
            let converted = stored::convert(column, wanted.dtype);
            let (column, found) = converted.map_err(|fault| self.unfit(fault, i, before, mask))?;
            // The reader shows moments in UTC, whatever zone their writer named.
            let found = if found.utc && self.elsewhere[i] { Zoned::OTHER } else { found };
            passed.zones = passed.zones.and(found);
            if found.date {
                passed.dates.add(i);
            }
            columns.push(column);
        }
        Ok(columns)
    }

    /// What is wrong with a column, in our words. The reader's own messages quote cells.
    fn unfit(&self, fault: Unfit, column: usize, before: u64, mask: Option<&[bool]>) -> IngestError {
        match fault {
            Unfit::Row(row) => {
                let chosen = |mask: &[bool]| (0..mask.len()).filter(|&i| mask[i]).nth(row);
                let row = mask.and_then(chosen).unwrap_or(row);
                locate::wrong(self, column, Place::Row(before + row as u64 + 1))
            }
            Unfit::Engine(error) => engine(&self.file, error),
        }
    }

    /// Reads the file again for the first cell of a column that is not what the column is used as, such as an
    /// id with a fraction, after a batch has met one.
    pub(in crate::ingest) fn wrong_cell(&self, column: usize) -> IngestError {
        let mut before = 0;
        let search = self.scan(|columns, _| {
            let cells = &columns[column];
            for row in 0..cells.len() {
                let right = match self.wanted[column].dtype {
                    schema::DType::Datetime => cells.datetime(row).is_ok(),
                    schema::DType::Elapsed | schema::DType::Minutes | schema::DType::Hour => {
                        cells.elapsed(row).is_ok()
                    }
                    schema::DType::Integer | schema::DType::Float => cells.key(row).is_ok(),
                    schema::DType::Text | schema::DType::Quantity => true,
                };
                if !right {
                    return Err(locate::wrong(self, column, Place::Row(before + row as u64 + 1)));
                }
            }
            before += cells.len() as u64;
            Ok(())
        });
        // A file that changed since has no such cell any more; then the row is not known.
        search.err().unwrap_or_else(|| locate::wrong(self, column, Place::Row(0)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::ingest::files::SourceFile;
    use crate::ingest::typed::file::{Opening, Wanted};

    /// Parquet keeps moments in UTC, and the schema that the writer adds names the zone of their clocks.
    #[test]
    fn a_zone_that_the_writer_names_is_seen() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/writers");
        for file in ["pyarrow.parquet", "pandas.parquet", "pyarrow.arrow"] {
            let source = SourceFile::new(&folder.join(file)).unwrap();
            let name = "timestamp_zone".to_owned();
            let wanted =
                [Wanted { name, dtype: schema::DType::Datetime, is_code: false, others: Vec::new() }];
            let typed = TypedFile::open(source, &wanted, Opening { skip_bad: false, id_in_name: None })
                .unwrap()
                .unwrap_or_else(|_| panic!("{file}"));
            let passed = typed.scan(|_, _| Ok(())).unwrap();
            assert_eq!(
                (passed.zones.other, passed.zones.utc, passed.zones.none),
                (true, false, false),
                "{file}"
            );
        }
    }
}
