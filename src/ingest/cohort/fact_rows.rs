//! The rows of the records table or of a static table, read whole.

use super::fact::Fact;
use crate::ingest::events::keep::KeepTest;
use crate::ingest::events::reason::{MALFORMED, Reason};
use crate::ingest::typed::batch::{BatchColumn, WrongCell};
use crate::ingest::typed::calendar::Zones;
use crate::ingest::typed::file::TypedFile;
use crate::ingest::{IngestError, TableAudit};
use crate::message::{Message, Weight};
use crate::schema::Table;

/// The rows of a small table in file order, with the files they came from.
#[derive(Debug)]
pub(in crate::ingest) struct Rows {
    pub(in crate::ingest) facts: Vec<Vec<Fact>>,
    /// Name of each file and the index of its first row.
    files: Vec<(String, usize)>,
    names: Vec<String>,
    /// Places of the columns with dates that have no time of day, with the file of the first.
    dates: Vec<(usize, String)>,
}

/// The rules by which rows of a file belong to a table.
fn keep_tests(table: &Table, file: &TypedFile) -> Vec<KeepTest> {
    let place = |name: &str| file.wanted.iter().position(|w| w.name.eq_ignore_ascii_case(name));
    let rules = table.keep.iter().map(|rule| (place(&rule.column), rule.equals.clone()));
    let codes = table
        .between
        .as_ref()
        .map(|between| (place(&between.code), between.begins.iter().chain(&between.ends).cloned().collect()));
    let all = rules.chain(codes);
    all.filter_map(|(place, values): (_, Vec<String>)| Some(KeepTest::of(place?, &values))).collect()
}

impl Rows {
    /// Reads the files of a table, and begins the account of its rows.
    ///
    /// # Errors
    /// A wrong cell; times that are written in several ways.
    pub(in crate::ingest) fn read(
        table: &Table,
        files: &[TypedFile],
        zones: &mut Zones,
    ) -> Result<(Self, TableAudit), IngestError> {
        let mut all = Self { facts: Vec::new(), files: Vec::new(), names: Vec::new(), dates: Vec::new() };
        let (mut skipped, mut of_others) = (0, 0);
        for file in files {
            let keep = keep_tests(table, file);
            all.files.push((file.file.name.clone(), all.facts.len()));
            all.names = file.wanted.iter().map(|w| w.name.clone()).collect();
            let passed = file.scan(|columns, _| {
                for row in 0..columns.first().map_or(0, BatchColumn::len) {
                    let mut facts = Vec::with_capacity(columns.len());
                    for (i, column) in columns.iter().enumerate() {
                        facts.push(
                            Fact::read(column, file.wanted[i].dtype, row)
                                .map_err(|WrongCell| file.wrong_cell(i))?,
                        );
                    }
                    if keep.iter().all(|keep| keep.keeps(|place| facts[place].text())) {
                        all.facts.push(facts);
                    } else {
                        of_others += 1;
                    }
                }
                Ok(())
            })?;
            zones.add(passed.zones, &file.file.name)?;
            skipped += passed.skipped;
            let dated = (0..file.wanted.len()).filter(|place| passed.dates.has(*place));
            all.dates.extend(dated.map(|place| (place, file.file.name.clone())));
        }
        let rows_read = all.facts.len() as u64 + of_others + skipped;
        let mut audit = TableAudit { table: table.name.clone(), rows_read, ..TableAudit::default() };
        if of_others > 0 {
            audit.dropped.insert(Reason::OtherTable.name().into(), of_others);
        }
        if skipped > 0 {
            audit.dropped.insert(MALFORMED.into(), skipped);
        }
        Ok((all, audit))
    }

    /// Columns that are made of the others; rows that make none are taken out and counted.
    pub(in crate::ingest) fn replace(&mut self, names: Vec<String>, facts: Vec<Vec<Fact>>) {
        (self.names, self.facts) = (names, facts);
    }

    pub(in crate::ingest) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub(in crate::ingest) fn place(&self, name: &str) -> usize {
        let found = self.names.iter().position(|n| n.eq_ignore_ascii_case(name));
        found.expect("invariant: the plan asks for keys and record columns")
    }

    /// What to say of columns whose moments matter, where some of them are dates alone.
    pub(in crate::ingest) fn without_clock<'n>(
        &self,
        table: &str,
        columns: impl IntoIterator<Item = &'n str>,
    ) -> Vec<Message> {
        let mut messages = Vec::new();
        for column in columns {
            let place = self.place(column);
            if let Some((_, file)) = self.dates.iter().find(|(dated, _)| *dated == place) {
                let text = format!(
                    "table {table}: column `{column}` of {file} has dates without a time of day; they count \
                     as midnight, and windows are counted from there"
                );
                messages.push(Message::table(Weight::Wrong, table, text));
            }
        }
        messages
    }

    /// The error of a row that contradicts an earlier one of the same id, of `count` such ids.
    pub(in crate::ingest) fn duplicate(
        &self,
        files: &[TypedFile],
        at: usize,
        count: usize,
        column: &str,
    ) -> IngestError {
        let place = self.files.iter().rposition(|(_, first)| *first <= at);
        let place = place.expect("invariant: a row is in a file");
        let (file, first) = &self.files[place];
        let (file, column, row) = (file.clone(), column.to_string(), (at - first) as u64 + 1);
        // Rows that were skipped have no number, so that a row cannot be counted to its line.
        let line = Some(&files[place]).filter(|file| !file.skip_bad).and_then(|file| file.line_of(row));
        IngestError::DuplicateIds { file, column, count, row, line }
    }
}
