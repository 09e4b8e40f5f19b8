//! What an input is: an extract of a known database, signals, pictures, or a table with one row per record.
//! It decides which pipeline reads it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ingest::{self, IngestError};
use crate::message::counted;
use crate::picture;
use crate::plain_file::{self, Listing};
use crate::schema;
use crate::waveform::{self, Record};

use super::Error;

/// Pipelines that read one database better than those over concepts do.
const OWN_PIPELINES: [(&str, &str); 2] =
    [("mimic3", "mimic3-first-24h"), ("physionet2012", "physionet2012-48h")];
/// The pipeline for every other database.
const OVER_CONCEPTS: &str = "icu-first-24h";
/// Samples of a window. Shorter than the pipeline's own, so that flags of the many windows of a folder are
/// explained within minutes: the time of an explanation grows with the square of the features.
const WINDOW: usize = 128;
/// Names of the files of a folder that hold the splits of one table.
const TRAIN: &str = "train.";

/// An input with the pipeline that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What it is, in words.
    pub what: String,
    /// The file or folder to ingest: of a folder with one table, that table.
    pub input: PathBuf,
    /// Name of the pipeline.
    pub pipeline: &'static str,
    /// Name of the schema, where the pipeline needs one.
    pub schema: Option<String>,
    /// Settings of the pipeline.
    pub settings: Vec<(String, String)>,
}

/// Recognises an input.
///
/// # Errors
/// An input that is not there or cannot be read; one that may be several things, or is none that is known,
/// with the command that decides.
pub fn recognise(input: &Path) -> Result<Given, Error> {
    if !input.exists() {
        return Err(IngestError::NoInput(input.display().to_string()).into());
    }
    if plain_file::is_pipe_or_device(input) {
        return Err(IngestError::NoFile(input.display().to_string()).into());
    }
    if let Some(signals) = signals(input) {
        return Ok(signals);
    }
    if let Some(database) = database(input)? {
        return Ok(database);
    }
    let table = |input: &Path, what: String| Given {
        what,
        input: input.to_path_buf(),
        pipeline: "wide-table",
        schema: None,
        settings: Vec::new(),
    };
    if input.is_file() {
        if let Some(pictures) = pictures(input, false)? {
            return Ok(pictures);
        }
        return Ok(table(input, "a table with one row per record".into()));
    }
    let listing = plain_file::walk(input, 0, |_| true)?;
    let files = &listing.files;
    let names: Vec<String> = files.iter().map(|file| name(file)).collect();
    if names.iter().any(|name| name.starts_with(TRAIN)) {
        return Ok(table(input, "a table in one file per split".into()));
    }
    let tables: Vec<&PathBuf> = files.iter().filter(|file| is_table(file)).collect();
    if let Some(pictures) = pictures(input, !tables.is_empty())? {
        return Ok(pictures);
    }
    // A table that is not read may be the one that is meant.
    if let Some(refused) = listing.refused.iter().find(|refused| is_table(&refused.path)) {
        return Err(refused.error().into());
    }
    if tables.is_empty() {
        plain_file::walk(input, usize::MAX, |_| true)?.whole()?;
    }
    match tables.as_slice() {
        [only] => Ok(table(only, "a folder with one table".into())),
        [] => Err(Error::Usage {
            message: format!(
                "{} holds no table, no signals, no pictures and no known database{}",
                input.display(),
                not_looked_into(&listing)
            ),
            hint: "name the folder or file that holds the data themselves; tables end in .csv, .tsv, .psv, \
                   .parquet or .arrow, and archives have to be unpacked"
                .into(),
        }),
        several => Err(Error::Usage {
            message: format!(
                "{} holds {} and is no extract of a known database: {}",
                input.display(),
                counted(several.len(), "table", "tables"),
                several.iter().map(|file| as_written(file)).collect::<Vec<_>>().join(", ")
            ),
            hint: "name one of the tables, or describe the database by a schema of your own and use `ingest`"
                .into(),
        }),
    }
}

/// The name of a file in lower case.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Whether a file in a folder is a table. A text is taken for a description of the tables beside it.
fn is_table(path: &Path) -> bool {
    let name = name(path);
    let unpacked = name.strip_suffix(".gz").unwrap_or(&name);
    let tables = [".csv", ".tsv", ".psv", ".parquet", ".arrow", ".feather", ".ipc", ".arrows"];
    !name.starts_with(['.', '_']) && tables.iter().any(|end| unpacked.ends_with(end))
}

/// The name of a file as it is written.
fn as_written(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The archives and folders in a folder, which are not looked into.
fn not_looked_into(listing: &Listing) -> String {
    let ends = [".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar"];
    let is_archive = |file: &&PathBuf| ends.iter().any(|end| name(file).ends_with(end));
    let archives =
        listing.files.iter().filter(is_archive).map(|file| format!("the archive {}", as_written(file)));
    // What starts with a dot or an underline is some program's own.
    let is_shown = |folder: &&PathBuf| !name(folder).starts_with(['.', '_']);
    let folders =
        listing.folders.iter().filter(is_shown).map(|file| format!("the folder {}", as_written(file)));
    let found: Vec<String> = archives.chain(folders).take(4).collect();
    if found.is_empty() { String::new() } else { format!(", but {}", found.join(" and ")) }
}

/// The input as pictures, if it holds such.
fn pictures(input: &Path, beside_tables: bool) -> Result<Option<Given>, Error> {
    let found = picture::survey(input, beside_tables)?;
    Ok(found.map(|survey| Given {
        what: survey.what,
        input: input.to_path_buf(),
        pipeline: "images",
        schema: None,
        settings: survey.settings,
    }))
}

/// The input as an extract of a database, if it is one.
fn database(input: &Path) -> Result<Option<Given>, Error> {
    let names = schema::schema_names();
    let known: Vec<schema::Schema> =
        names.iter().map(|name| schema::load_schema(name)).collect::<Result<_, _>>()?;
    // A folder without tables is no error here: it may hold something else.
    let found = ingest::recognise(&known, input).unwrap_or_default();
    match found.as_slice() {
        [] => Ok(None),
        [only] => {
            let own = OWN_PIPELINES.iter().find(|(schema, _)| *schema == only.name);
            Ok(Some(Given {
                what: format!("an extract of {}", only.title),
                input: input.to_path_buf(),
                pipeline: own.map_or(OVER_CONCEPTS, |(_, pipeline)| pipeline),
                schema: own.is_none().then(|| only.name.clone()),
                settings: Vec::new(),
            }))
        }
        several => Err(Error::Usage {
            message: format!(
                "{} may be an extract of {}",
                input.display(),
                several.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(" or ")
            ),
            hint:
                "decide with `ingest icu-first-24h --schema NAME`, and go on with `fit`, `flag` and `report`"
                    .into(),
        }),
    }
}

/// The input as signals, if it is a record or a folder of records: windows of the two signals that are
/// recorded together for longest.
fn signals(input: &Path) -> Option<Given> {
    let of_header = |path: &Path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("hea"));
    if input.is_file() && !of_header(input) {
        return None;
    }
    let records: Vec<PathBuf> = waveform::list_records(input)
        .unwrap_or_default()
        .into_iter()
        .filter(|path| of_header(path))
        .collect();
    if records.is_empty() {
        return None;
    }
    let mut together: BTreeMap<Vec<String>, f64> = BTreeMap::new();
    for record in &records {
        count_channels(record, &mut together);
    }
    let longest = |n: usize| {
        let of_size = together.iter().filter(move |(names, _)| names.len() == n);
        // Of equally long ones the first by name.
        of_size.rev().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(names, _)| names.clone())
    };
    let chosen = longest(2).or_else(|| longest(1)).unwrap_or_default();
    let count = counted(records.len(), "record", "records");
    let mut settings = Vec::new();
    if !chosen.is_empty() {
        settings.push(("channels".to_owned(), chosen.join(",")));
    }
    settings.extend(["window", "stride"].map(|key| (key.to_owned(), WINDOW.to_string())));
    Some(Given {
        what: match chosen.as_slice() {
            [] => format!("signals in {count}"),
            names => format!("signals, {} in {count}", names.join(" and ")),
        },
        input: input.to_path_buf(),
        pipeline: "waveform-1024",
        schema: None,
        settings,
    })
}

/// Adds for how long each signal of a record, and each two of one rate, are recorded. What is wrong with a
/// header is told when the record is read.
fn count_channels(record: &Path, together: &mut BTreeMap<Vec<String>, f64>) {
    let Ok(record) = Record::open(record) else { return };
    for segment in &record.segments {
        let Ok(Some(header)) = record.segment_header(segment) else { continue };
        // Samples and not seconds: numerics cover as much time with a value a minute, and are no waveforms.
        let samples = segment.n_frames as f64;
        let mut channels: Vec<(&str, usize)> =
            header.signals.iter().map(|s| (s.name.as_str(), s.samples_per_frame)).collect();
        channels.sort_unstable();
        channels.dedup();
        for (i, (one, rate)) in channels.iter().enumerate() {
            *together.entry(vec![(*one).to_owned()]).or_default() += samples;
            for (other, _) in channels[i + 1..].iter().filter(|(other, r)| r == rate && other != one) {
                *together.entry(vec![(*one).to_owned(), (*other).to_owned()]).or_default() += samples;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_recognised_and_folders_of_several_are_asked_about() {
        let dir = tempfile::tempdir().unwrap();
        let one = dir.path().join("one.csv");
        std::fs::write(&one, "x,y\n1,2\n").unwrap();
        std::fs::write(dir.path().join("readme.txt"), "about the table").unwrap();
        let given = recognise(&one).unwrap();
        assert_eq!((given.pipeline, &given.input), ("wide-table", &one));
        assert_eq!(recognise(dir.path()).unwrap().input, one);
        std::fs::write(dir.path().join("two.csv"), "x,y\n1,2\n").unwrap();
        let error = recognise(dir.path()).unwrap_err();
        assert!(error.to_string().contains("one.csv, two.csv"), "{error}");
        std::fs::rename(dir.path().join("two.csv"), dir.path().join("train.csv")).unwrap();
        assert_eq!(recognise(dir.path()).unwrap().input, dir.path());
    }

    #[test]
    fn what_is_not_there_and_what_is_not_read_is_said() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(recognise(&dir.path().join("no")), Err(Error::Ingest(IngestError::NoInput(_)))));
        assert!(recognise(dir.path()).unwrap_err().to_string().contains("holds no table"));
        std::fs::write(dir.path().join("Tables.zip"), "x").unwrap();
        let error = recognise(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with("but the archive Tables.zip"), "{error}");
        std::fs::create_dir(dir.path().join("Inner")).unwrap();
        let error = recognise(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with("but the archive Tables.zip and the folder Inner"), "{error}");
        std::fs::write(dir.path().join("digits-idx3-ubyte.gz"), "x").unwrap();
        let error = recognise(dir.path()).unwrap_err().to_string();
        assert!(error.contains("digits-idx3-ubyte.gz: it ends before its header says"), "{error}");
    }

    /// An IDX file of `n` pictures of 2 × 3 numbers.
    fn idx(n: u32) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3];
        [n, 2, 3].iter().for_each(|length| bytes.extend(length.to_be_bytes()));
        bytes.extend((0..n * 6).map(|i| (i % 256) as u8));
        bytes
    }

    #[test]
    fn pictures_are_recognised_and_told_from_tables_beside_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("images-idx3-ubyte");
        std::fs::write(&file, idx(30)).unwrap();
        for input in [&file, dir.path()] {
            let given = recognise(input).unwrap();
            assert_eq!((given.pipeline, given.what.as_str()), ("images", "30 pictures of 2 × 3 pixels"));
        }
        std::fs::write(dir.path().join("one.csv"), "x,y\n1,2\n").unwrap();
        let error = recognise(dir.path()).unwrap_err().to_string();
        assert!(error.contains("it holds 30 pictures of 2 × 3 pixels in arrays, and tables"), "{error}");

        // A figure beside a table is about the table, and figures alone are too few.
        let few = tempfile::tempdir().unwrap();
        std::fs::write(few.path().join("figure.png"), "no picture").unwrap();
        let error = recognise(few.path()).unwrap_err().to_string();
        assert!(error.contains("it holds 1 picture (figure.png), too few for a model"), "{error}");
        std::fs::write(few.path().join("one.csv"), "x,y\n1,2\n").unwrap();
        assert_eq!(recognise(few.path()).unwrap().pipeline, "wide-table");
    }
}
