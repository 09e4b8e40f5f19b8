//! New tables: the columns that a model, or another table of ours, asks for, read in the spelling that was
//! learnt, some rows at a time.

use std::path::Path;

use crate::ingest::{
    Audit, Cells, IngestError, IngestProgress, Names, NoProgress, RecordTable, Spelling, Subjects,
};
use crate::message::{About, Message, Weight};
use crate::schema::Kind;

use super::build::{self, Building, Content, Tolerance};
use super::declared::place;
use super::doubts::{count_sentinels, sentinel};
use super::finish;
use super::ids::RecordIds;
use super::names::{Named, named};
use super::roles::{Decision, Role};
use super::table::{self, Rows, WideFile};
use crate::ingest::source::StoredType;

/// A column that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'e> {
    /// Its name.
    pub name: &'e str,
    /// Whether it holds levels or numbers.
    pub kind: Kind,
    /// How its cells are read.
    pub spelling: &'e Spelling,
    /// Smallest and largest training value, where it is known: a code for "missing" beyond is warned of.
    pub range: Option<(f64, f64)>,
}

/// Names of the columns of a table, as written.
///
/// # Errors
/// What keeps the table from being opened.
pub fn column_names(input: &Path) -> Result<Vec<String>, IngestError> {
    Ok(table::only(input)?.header)
}

/// Reads columns that must fit: `categorical` ones as levels, others as numbers. Names are compared as
/// written, else without regard to letter case; other columns are left out with a warning. Record ids come
/// from a column that clearly holds ids (`id`, `record_id`, …), else they are row numbers.
///
/// # Errors
/// Missing columns (all at once); a cell that does not fit, with row and column.
pub fn read_columns(input: &Path, expected: &[(&str, Kind)]) -> Result<RecordTable, IngestError> {
    let plain = Spelling::undeclared();
    let truth = Spelling { truth: true, ..plain.clone() };
    let expected: Vec<Expected<'_>> = expected
        .iter()
        .map(|&(name, kind)| {
            let spelling = if kind == Kind::Binary { &truth } else { &plain };
            Expected { name, kind, spelling, range: None }
        })
        .collect();
    read(input, &expected, Strictness { nothing_else: false, every_cell: true })
}

/// Reads the columns of a fitted model from a new table. A cell that holds something that is no number counts
/// as missing, with a warning that counts them.
///
/// # Errors
/// Missing columns (all at once); a column of which more than half of the cells are no numbers.
pub fn read_expected(input: &Path, expected: &[Expected<'_>]) -> Result<RecordTable, IngestError> {
    read(input, expected, Strictness { nothing_else: false, every_cell: false })
}

/// The same for a table that must hold nothing else, save an id, `subject_id` and `split`, and whose every
/// cell must fit: a misspelt column is not taken for one to leave out, nor a misspelt cell for an empty one.
///
/// # Errors
/// As [`read_columns`], and [`IngestError::UnknownColumns`].
pub fn read_only_expected(input: &Path, expected: &[Expected<'_>]) -> Result<RecordTable, IngestError> {
    read(input, expected, Strictness { nothing_else: true, every_cell: true })
}

#[derive(Clone, Copy)]
struct Strictness {
    nothing_else: bool,
    every_cell: bool,
}

fn read(input: &Path, expected: &[Expected<'_>], strict: Strictness) -> Result<RecordTable, IngestError> {
    let table = NewTable::opened(input, expected, strict)?;
    let mut whole = None;
    let messages = table.each(usize::MAX, &NoProgress, |all| {
        whole = Some(all);
        Ok::<_, IngestError>(())
    })?;
    let mut whole = whole.ok_or_else(|| IngestError::Empty(table.file.name().to_string()))?;
    whole.audit.messages = messages.into();
    Ok(whole)
}

/// A new table with the columns that a fitted model asks for, read some rows at a time and as often as one
/// likes.
pub struct NewTable<'e> {
    file: WideFile,
    expected: Vec<Expected<'e>>,
    strict: Strictness,
    /// The columns that are read: their names, what is made of them, and their places in the file.
    header: Vec<String>,
    decisions: Vec<Decision>,
    wanted: Vec<usize>,
    /// What there is to say of the header and the ids.
    messages: Vec<Message>,
}

impl<'e> NewTable<'e> {
    /// Opens a table as [`read_expected`] reads it. Of a column that may hold record ids, all rows are read
    /// to see whether they differ.
    ///
    /// # Errors
    /// Missing columns (all at once).
    pub fn open(input: &Path, expected: &[Expected<'e>]) -> Result<Self, IngestError> {
        Self::opened(input, expected, Strictness { nothing_else: false, every_cell: false })
    }

    fn opened(input: &Path, expected: &[Expected<'e>], strict: Strictness) -> Result<Self, IngestError> {
        let file = table::only(input)?;
        let places = places(&file, expected)?;
        let mut header: Vec<String> = expected.iter().map(|e| e.name.to_string()).collect();
        let mut wanted = places.clone();
        let mut decisions: Vec<Decision> = expected
            .iter()
            .map(|e| Decision {
                role: match e.kind {
                    Kind::Categorical => Role::Levels,
                    kind => Role::Number { kind, declared: false },
                },
                spelling: e.spelling.clone(),
                is_label: false,
                why: String::new(),
            })
            .collect();
        let mut messages = Vec::new();
        if let Some(ids) = RecordIds::find(&file, &places)? {
            header.push(file.header[ids.at].clone());
            wanted.push(ids.at);
            decisions.push(Decision {
                role: Role::Id,
                spelling: Spelling::default(),
                is_label: false,
                why: String::new(),
            });
            messages.extend(ids.message(&file.header[ids.at]));
        }
        let extra: Vec<String> = (0..file.header.len())
            .filter(|at| !wanted.contains(at))
            // `features.parquet` of a bundle brings these along; they are no surprise to anybody.
            .filter(|at| !["subject_id", "split"].contains(&file.header[*at].as_str()))
            .map(|at| file.header[at].clone())
            .collect();
        // Identifiers belong to a table of records, whether or not every row has one of its own.
        let foreign: Vec<String> = extra
            .iter()
            .filter(|name| named(name).is_none_or(|what| what == Named::Place))
            .cloned()
            .collect();
        if !foreign.is_empty() && strict.nothing_else {
            let columns = finish::listed(&foreign);
            return Err(IngestError::UnknownColumns { file: file.name().to_string(), columns });
        }
        if !extra.is_empty() {
            let text = format!("columns the model does not know are ignored: {}", finish::listed(&extra));
            let n = extra.len();
            messages.push(Message::new(Weight::LeftOut, About::Columns(extra), text).counting(n));
        }
        Ok(Self { file, expected: expected.to_vec(), strict, header, decisions, wanted, messages })
    }

    /// Calls `each` with all records in the order of the file, `rows` of them at a time or more, and returns
    /// what a user should know about them.
    ///
    /// # Errors
    /// A table without rows; a column of which more than half of the cells are no numbers, which is known
    /// after the last row only; those of `each`.
    pub fn each<E: From<IngestError>>(
        &self,
        rows: usize,
        progress: &dyn IngestProgress,
        mut each: impl FnMut(RecordTable) -> Result<(), E>,
    ) -> Result<Vec<Message>, E> {
        let mut columns: Vec<Building<'_>> = self
            .header
            .iter()
            .zip(&self.decisions)
            .map(|(name, d)| Building::new(name, d.role, &d.spelling).naming_rows())
            .collect();
        let mut sentinels = vec![Vec::new(); self.expected.len()];
        let (mut counted, mut handed_on) = (Rows::new(&self.file), 0);
        let mut refused = None;
        let read = self.file.read(&self.wanted, progress, |batch| {
            build::add(&mut columns, &self.file, batch, &mut counted)?;
            if counted.sum() - handed_on < rows as u64 {
                return Ok(());
            }
            let block = self.block(&mut columns, &mut sentinels, handed_on, counted.sum());
            handed_on = counted.sum();
            each(block).map_err(|error| {
                refused = Some(error);
                IngestError::Stopped
            })
        });
        if let Some(error) = refused {
            return Err(error);
        }
        read?;
        let n = counted.sum();
        if n == 0 {
            return Err(IngestError::Empty(self.file.name().to_string()).into());
        }
        for column in &columns {
            let tolerance = if self.strict.every_cell { Tolerance::EveryCell } else { Tolerance::HalfOfMany };
            build::check(
                column,
                n,
                tolerance,
                "write the cells as in the table the model was fitted on, or leave them empty",
            )?;
        }
        if handed_on < n {
            each(self.block(&mut columns, &mut sentinels, handed_on, n))?;
        }
        let mut messages = self.file.source.messages();
        messages.extend(self.messages.iter().cloned());
        messages.extend(self.expected.iter().zip(sentinels).filter_map(|(e, met)| sentinel(e.name, met)));
        messages.extend(columns.iter().filter_map(|c| build::rejection(c, n, true)));
        Ok(messages)
    }

    /// Takes the cells read so far out of the columns: the records behind the first `from` of `to`.
    fn block(
        &self,
        columns: &mut [Building<'_>],
        sentinels: &mut [Vec<(f64, usize)>],
        from: u64,
        to: u64,
    ) -> RecordTable {
        let mut table = RecordTable {
            record_ids: Names::default(),
            subjects: Subjects::Records,
            splits: None,
            columns: Vec::with_capacity(self.expected.len()),
            labels: Vec::new(),
            audit: Audit::default(),
        };
        for (i, column) in columns.iter_mut().enumerate() {
            match column.take() {
                Content::Ids(ids) => table.record_ids = ids,
                Content::Features(cells) => {
                    if let (Some(e), Cells::Number(x)) = (self.expected.get(i), &cells) {
                        count_sentinels(e.spelling, e.range, x, &mut sentinels[i]);
                    }
                    table.columns.push(column.finished(cells, self.decisions[i].spelling.clone()));
                }
                Content::Groups(_) | Content::Splits(_) | Content::Nothing => {}
            }
        }
        if table.record_ids.is_empty() {
            table.record_ids = Names::numbered(from + 1..=to);
        }
        table
    }
}

/// The places of the expected columns in a file.
fn places(file: &WideFile, expected: &[Expected<'_>]) -> Result<Vec<usize>, IngestError> {
    let exact: Vec<usize> =
        expected.iter().filter_map(|e| file.header.iter().position(|h| h == e.name)).collect();
    let (mut places, mut absent) = (Vec::with_capacity(expected.len()), Vec::new());
    for e in expected {
        match place(&file.header, e.name) {
            // A column that is called exactly like another one that is expected is that one.
            Some(at) if file.header[at] == e.name || !exact.contains(&at) => places.push(at),
            _ => absent.push(e.name.to_string()),
        }
    }
    if !absent.is_empty() {
        return Err(IngestError::MissingColumns(vec![(file.name().to_string(), absent)]));
    }
    for (&at, e) in places.iter().zip(expected) {
        let expected = if e.kind == Kind::Categorical { "text" } else { "numbers" };
        if let StoredType::Unreadable(found) = &file.source.columns[at].stored {
            return Err(IngestError::WrongColumnType {
                file: file.name().to_string(),
                column: e.name.to_string(),
                found: found.clone(),
                expected: expected.to_string(),
            });
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_table_says_the_same_block_by_block_and_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let rows: Vec<String> = (0..30_000)
            .map(|i| {
                format!(
                    "{},{},{}\n",
                    if i % 7 == 0 { "?".into() } else { (i % 90).to_string() },
                    i % 3,
                    i + 1
                )
            })
            .collect();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, format!("x,level,id\n{}", rows.concat())).unwrap();
        let spelling = Spelling::undeclared();
        let expected = [("x", Kind::Count, Some((0.0, 50.0))), ("level", Kind::Categorical, None)]
            .map(|(name, kind, range)| Expected { name, kind, spelling: &spelling, range });
        let whole = read_expected(&path, &expected).unwrap();
        let new = NewTable::open(&path, &expected).unwrap();
        let (mut from, mut blocks) = (0, 0);
        let said = new
            .each(1000, &NoProgress, |block| {
                for i in 0..block.n_records() {
                    assert_eq!(block.record_ids[i], whole.record_ids[from + i]);
                }
                for (part, all) in block.columns.iter().zip(&whole.columns) {
                    match (&part.cells, &all.cells) {
                        (Cells::Number(part), Cells::Number(all)) => {
                            assert!(
                                part.iter()
                                    .enumerate()
                                    .all(|(i, x)| x.to_bits() == all.get(from + i).to_bits())
                            );
                        }
                        (Cells::Text(part), Cells::Text(all)) => {
                            assert!(part.iter().enumerate().all(|(i, t)| t == all.get(from + i)));
                        }
                        _ => panic!("columns of one kind"),
                    }
                }
                (from, blocks) = (from + block.n_records(), blocks + 1);
                Ok::<_, IngestError>(())
            })
            .unwrap();
        assert!(from == 30_000 && blocks > 1, "{from} {blocks}");
        assert_eq!(said, whole.audit.messages.0);
        // The reader of the rows stops with an error of its own.
        let stopped = new.each(1000, &NoProgress, |_| Err(IngestError::Empty("enough".into())));
        assert!(matches!(stopped, Err(IngestError::Empty(ref why)) if why == "enough"));
    }
}
