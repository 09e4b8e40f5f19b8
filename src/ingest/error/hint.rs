//! What to do about each error.

use super::IngestError;
use crate::error::Hint;

impl Hint for IngestError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) => return e.hint(),
            Self::Output(e) => return e.hint(),
            Self::Part(e) => return e.hint(),
            Self::Stopped => return None,
            Self::Remote(_) => "download it first; this program opens no network connection".into(),
            Self::NoInput(_) => "check --input; relative paths start at the current folder".into(),
            Self::NoFile(_) => "a table that comes through a pipe is read by `--input -`".into(),
            Self::NoFiles(_) => "point --input at the folder that holds the tables themselves".into(),
            Self::NoTrain { .. } => {
                "name the files train, validation, test (and calibration), or pass a single file".into()
            }
            Self::OutputFormat(_) => {
                "give --output such a name; a CSV file can be packed with gzip afterwards".into()
            }
            Self::UnknownFormat(_) => "convert it to CSV (comma separated, with a header) or Parquet".into(),
            Self::MissingTables { .. } => {
                "files are looked for as .parquet, .csv, .csv.gz or .psv, in any letter case, and in \
                 subfolders where the schema names one"
                    .into()
            }
            Self::AmbiguousFiles { .. } => "keep one of them, or each row would count twice".into(),
            Self::MissingColumns(_) => {
                "give the table these columns, with empty cells where nothing is known; letter case does not \
                 matter, and the first line has to be a header"
                    .into()
            }
            Self::MissingTableColumns(_) => {
                "letter case does not matter; the first line has to be a header, and names that differ are \
                 given in the schema"
                    .into()
            }
            Self::NoEpisodes { .. } => {
                "leave `episodes` out, or declare them under `[record]` of a schema of your own: `episodes = \
                 { within = \"COLUMN\", gap = HOURS }`"
                    .into()
            }
            Self::UnknownColumns { .. } => {
                "correct their names or leave them out; besides its features the table may have an id, \
                 `subject_id` and `split`"
                    .into()
            }
            Self::DuplicateColumn { .. } => {
                "rename one of them; if the names are values, the file has no header: add one".into()
            }
            Self::Empty(_) => "a header and at least one row below it are needed".into(),
            Self::Truncated(_) => "download or compress it again".into(),
            Self::WrongType { remedy, .. } => format!("{remedy}; rows are counted from 1 below the header"),
            Self::WrongColumnType { expected, .. } => {
                format!("store the column as {expected}, or correct the schema")
            }
            Self::MixedZones { .. } => {
                "write all times of all tables in one way: as the local clock without a zone, or all with \
                 their zones"
                    .into()
            }
            Self::NonFinite { .. } => {
                "leave the cell empty, or list its text under `missing` of the pipeline; rows are counted \
                 from 1 below the header"
                    .into()
            }
            Self::RaggedLine { .. } => {
                "put cells that contain the separator in quotes, and remove lines that are no rows, such as \
                 titles, comments and totals; lines are counted as an editor counts them; of the tables of a \
                 schema, --on-bad-row skip leaves such rows out and counts them"
                    .into()
            }
            Self::UnknownEncoding { .. } | Self::MixedEncodings { .. } => {
                "save the file as UTF-8, or convert it with iconv from the encoding that it was written in"
                    .into()
            }
            Self::Nul { .. } => "the file may be damaged or no text at all: export or copy it again".into(),
            Self::BehindGzip(_) => {
                "something may be missing: compress the table again, or unpack it with gzip -dc and compare"
                    .into()
            }
            Self::Changed(_) => {
                "run again once nothing writes to the file any more, or on a copy of it: what was read of it \
                 may be of two versions"
                    .into()
            }
            Self::NothingInRows { .. } => {
                "no table of measured values is so: it may have been made to keep programs busy; if you know \
                 that it is a table, write it as CSV"
                    .into()
            }
            Self::Bomb(_) => {
                "it may have been made to keep programs busy; if you know that it is a table, unpack it with \
                 gzip -d first: a plain file is read whatever it repeats"
                    .into()
            }
            Self::Foreign { remedy, .. } | Self::UnreadableFormat { remedy, .. } => (*remedy).into(),
            Self::TwoSeparators { .. } => {
                "say which it is with --set separator=…, or put cells that contain the other in quotes".into()
            }
            Self::Partitioned { .. } => {
                "write the table as one file, or as files with all of its columns in one folder".into()
            }
            Self::DuplicateColumns { .. } => "rename one of them".into(),
            Self::PartColumns { .. } | Self::PartType { .. } => {
                "the files of a folder are read as one table; move a file of another table elsewhere, or \
                 write it again with the same columns"
                    .into()
            }
            Self::UnreadableCell { .. } => "store the column as text or as integers".into(),
            Self::TooManyColumns { .. } => {
                "keep the columns that matter; if records are columns in this table, turn it on its side"
                    .into()
            }
            Self::OpenQuote(_) | Self::OpenQuoteInLine { .. } => {
                "a field that begins with a quote ends with one; quotes inside it are doubled".into()
            }
            Self::WrongCell { remedy, .. } => remedy.clone(),
            Self::WrongCellInLine { remedy, .. } => {
                format!("{remedy}; --on-bad-row skip leaves such rows out and counts them")
            }
            Self::Ragged { .. } => {
                "quote fields that contain commas; rows are counted from 1 below the header".into()
            }
            Self::NotUtf8 { .. } | Self::NotUtf8Line { .. } => {
                "convert the file to UTF-8, for example with iconv -f latin1 -t utf-8".into()
            }
            Self::UnknownItem { kind, .. } => format!("name items as {kind} values in the schema"),
            Self::UnknownName { .. } => "check the spelling in the schema and the pipeline".into(),
            Self::NothingToExplain => {
                "--explain follows the rows of event tables; name a pipeline with a schema".into()
            }
            Self::NoRecords(_) => "loosen that rule, or check that the tables belong together".into(),
            Self::DuplicateIds { .. } => {
                "one row per record is needed: remove the repetitions, or name another column as id".into()
            }
            Self::Engine { .. } => {
                "check that the file is complete, or write it again as Parquet; -vv shows the reader's own \
                 message, which may quote cells"
                    .into()
            }
            Self::Write { .. } => "check the disk and the folder's permissions".into(),
        })
    }
}
