//! A table file whose header was matched to the columns asked for, under the schema's names and types, which
//! are never inferred.

use polars_core::prelude::*;

use crate::message::{Message, Weight};
use crate::schema::{self, suggest};

use super::batch::{BatchColumn, Key};
use super::items::ItemTexts;
use super::passed::Note;
use super::stored;
use crate::ingest::IngestError;
use crate::ingest::error::MissingColumn;
use crate::ingest::files::{Format, SourceFile};
use crate::ingest::source::{Place, Source, StoredTable, described, polars_type};

/// A column asked for.
#[derive(Debug, Clone)]
pub(in crate::ingest) struct Wanted {
    /// Name in the schema.
    pub(in crate::ingest) name: String,
    /// Names that it has in other files.
    pub(in crate::ingest) others: Vec<String>,
    /// Declared type.
    pub(in crate::ingest) dtype: schema::DType,
    /// Whether its texts are codes that are compared as a whole.
    pub(in crate::ingest) is_code: bool,
}

/// A file whose header was matched to the wanted columns.
#[derive(Debug, Clone)]
pub(in crate::ingest) struct TypedFile {
    pub(in crate::ingest) file: SourceFile,
    /// Header as stored.
    header: Vec<String>,
    pub(in crate::ingest) wanted: Vec<Wanted>,
    /// For each wanted column, its place in the header.
    pub(in crate::ingest) positions: Vec<usize>,
    /// For each wanted column, whether its moments have a zone other than UTC that the reader does not show.
    pub(in crate::ingest) elsewhere: Vec<bool>,
    /// What a user should know about the way its columns are stored.
    pub(in crate::ingest) messages: Vec<Message>,
    /// Leave malformed rows out and count them, instead of stopping at the first.
    pub(in crate::ingest) skip_bad: bool,
    /// Of an event store: what it was made from.
    pub(in crate::ingest) cached: Option<Note>,
    /// The value that stands in the file's name, for the column that the file does not hold.
    in_name: Option<String>,
}

/// Position of a column that the file does not hold.
pub(in crate::ingest) const IN_NAME: usize = usize::MAX;

/// How the files of a table are opened.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct Opening<'a> {
    /// Leave malformed rows out and count them, instead of stopping at the first.
    pub(in crate::ingest) skip_bad: bool,
    /// A column that files without it hold in their name.
    pub(in crate::ingest) id_in_name: Option<&'a schema::IdInName>,
}

/// The items an event table is filtered by.
#[derive(Debug, Clone)]
pub(in crate::ingest) enum ItemSet {
    Numbers(PlHashSet<i64>),
    Names(PlHashSet<String>),
    /// Texts of which patterns or the form decide.
    Texts(ItemTexts),
}

/// The value of a column in the name of a file: what stands in the place of `*`, as the name is written.
fn named(file: &SourceFile, column: &Wanted, opening: Opening<'_>) -> Option<String> {
    let id = opening.id_in_name.filter(|id| id.column.eq_ignore_ascii_case(&column.name))?;
    let (before, behind) = id.pattern.split_once('*')?;
    let stem = file.stem.rsplit('/').next()?;
    // The stem is in lower case, and the id may be a text with capitals.
    let name = file.name.rsplit('/').next()?.get(..stem.len())?;
    let within = stem.starts_with(&before.to_lowercase()) && stem.ends_with(&behind.to_lowercase());
    let value = name.get(before.len()..name.len().checked_sub(behind.len())?)?;
    (within && !value.is_empty()).then(|| value.to_owned())
}

impl TypedFile {
    /// Matches a header to the wanted columns.
    ///
    /// # Errors
    /// Outer: the file cannot be read. Inner: the wanted columns it lacks, to be reported with those of other
    /// files.
    pub(in crate::ingest) fn open(
        file: SourceFile,
        wanted: &[Wanted],
        opening: Opening<'_>,
    ) -> Result<Result<Self, Vec<MissingColumn>>, IngestError> {
        let stored = match file.format {
            Format::Csv => None,
            Format::Parquet | Format::Arrow => Some(StoredTable::open(&file)?),
        };
        let header: Vec<String> = match &stored {
            None => file.csv_header()?,
            Some(stored) => stored.schema().iter_names().map(ToString::to_string).collect(),
        };
        let mut positions = Vec::new();
        let mut missing = Vec::new();
        let mut in_name = None;
        for column in wanted {
            let own = header.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
            let other =
                |name: &str| !own && column.others.iter().any(|other| name.eq_ignore_ascii_case(other));
            let mut places = (0..header.len())
                .filter(|&i| header[i].eq_ignore_ascii_case(&column.name) || other(&header[i]));
            match (places.next(), places.next()) {
                (None, _)
                    if stored.is_none() && in_name.is_none() && named(&file, column, opening).is_some() =>
                {
                    in_name = named(&file, column, opening);
                    positions.push(IN_NAME);
                }
                (None, _) => {
                    let others = header.iter().map(String::as_str).filter(|name| {
                        // A name that another wanted column goes by is taken.
                        !wanted.iter().any(|w| w.name.eq_ignore_ascii_case(name))
                    });
                    let similar = suggest::closest(&column.name, others).map(ToString::to_string);
                    missing.push(MissingColumn { name: column.name.clone(), similar });
                }
                (Some(at), None) => positions.push(at),
                (Some(_), Some(_)) => {
                    return Err(IngestError::DuplicateColumn {
                        file: file.name,
                        column: column.name.clone(),
                    });
                }
            }
        }
        if !missing.is_empty() {
            return Ok(Err(missing));
        }
        let mut typed = Self {
            file,
            header,
            wanted: wanted.to_vec(),
            elsewhere: vec![false; positions.len()],
            positions,
            messages: Vec::new(),
            skip_bad: opening.skip_bad,
            cached: None,
            in_name,
        };
        if let Some(stored) = stored {
            typed.check_stored(stored.schema(), stored.meant())?;
        }
        Ok(Ok(typed))
    }

    /// The line of a row of a text file, counted from 1 below the header; none where rows have no lines, or
    /// the file has changed.
    pub(in crate::ingest) fn line_of(&self, row: u64) -> Option<u64> {
        let source =
            Source::open_parts(vec![self.file.clone()]).ok().filter(|_| self.file.format == Format::Csv)?;
        let (mut before, mut line) = (0, None);
        let stopped = source.read(&[0], |batch| {
            let n = batch.n_rows() as u64;
            if row <= before + n {
                line = Some(batch.place((row - before - 1) as usize));
                return Err(IngestError::Stopped);
            }
            before += n;
            Ok(())
        });
        match (stopped, line) {
            (Err(IngestError::Stopped), Some(Place::Line(line))) => Some(line),
            _ => None,
        }
    }

    /// Whether a value is taken from the file's name.
    pub(in crate::ingest) fn has_name(&self) -> bool {
        self.in_name.is_some()
    }

    /// That value as a cell.
    pub(in crate::ingest) fn in_name(&self) -> &[u8] {
        self.in_name.as_deref().unwrap_or_default().as_bytes()
    }

    /// Number of columns of the file, those not wanted too.
    pub(in crate::ingest) fn n_fields(&self) -> usize {
        self.header.len()
    }

    /// Checks that every column can hold what is declared.
    fn check_stored(&mut self, stored: &ArrowSchema, meant: &ArrowSchema) -> Result<(), IngestError> {
        for (i, (wanted, position)) in self.wanted.iter().zip(&self.positions).enumerate() {
            // Parquet keeps moments in UTC. In which zone their clocks stood, the writer's schema says.
            if let Some((_, field)) = meant.get_at_index(*position)
                && let ArrowDataType::Timestamp(_, Some(zone)) = &field.dtype
            {
                self.elsewhere[i] = !stored::is_utc(zone);
            }
            let (_, field) = stored.get_at_index(*position).expect("invariant: position is in the header");
            let found = polars_type(field);
            if !stored::readable(wanted.dtype, &found) {
                return Err(IngestError::WrongColumnType {
                    file: self.file.name.clone(),
                    column: wanted.name.clone(),
                    found: described(&field.dtype),
                    expected: wanted.dtype.name().into(),
                });
            }
            if wanted.is_code && stored::loses_zeros(wanted.dtype, &found) {
                let text = format!(
                    "{}: column `{}` is declared as text and stored as numbers; if its codes had leading \
                     zeros (0389), the file has lost them, and 389 is what rules and levels see",
                    self.file.name, wanted.name
                );
                self.messages.push(Message::column(Weight::Wrong, &wanted.name, text));
            }
        }
        Ok(())
    }
}

impl ItemSet {
    /// Which cells are in the set; `Err` is the row of one that is no item. Names are compared trimmed.
    pub(in crate::ingest) fn mask(&self, column: &BatchColumn) -> Result<Vec<bool>, usize> {
        let is = |key: Option<Key<'_>>| match (self, key) {
            (Self::Numbers(set), Some(Key::Number(n))) => set.contains(&n),
            (Self::Names(set), Some(Key::Text(name))) => set.contains(name),
            (Self::Texts(texts), Some(Key::Text(name))) => texts.may_be(name),
            _ => false,
        };
        (0..column.len()).map(|row| column.key(row).map(is).map_err(|_| row)).collect()
    }
}
