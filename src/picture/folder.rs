//! A folder of pictures: subfolders name labels and splits, or a CSV names labels, patients and splits of the
//! files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::source::{PICTURES, ending, is_picture, is_shown, name, split_of};
use super::{About, PictureError, Reason};
use crate::ingest::{Cells, RecordTable, column_names, read_columns};
use crate::message::{Message, Weight, counted};
use crate::plain_file::{self, Listing, Watch};
use crate::schema::Kind;

/// Folders within folders that are looked at.
const DEPTH: usize = 16;

/// The files of a folder with what is known of each.
pub(super) struct Listed {
    pub(super) files: Vec<(Watch, About)>,
    /// Files that are left out before they are read: those that the CSV does not list, links out of the folder.
    pub(super) left_out: Vec<(String, Reason)>,
    /// The CSV.
    pub(super) table: Option<Watch>,
    pub(super) messages: Vec<Message>,
}

/// Lists a folder.
///
/// # Errors
/// [`PictureError`] for a folder that cannot be read, several CSV files none of which is `labels.csv`, or a
/// CSV without a column `file`.
pub(super) fn list(folder: &Path) -> Result<Listed, PictureError> {
    let listing = listing(folder)?;
    let (pictures, others) = divided(&listing);
    let table = table_of(folder, &listing)?.map(|path| Watch::begin(&path));
    let mut messages = Vec::new();
    let overlooked = others.iter().filter(|path| ending(path) != "csv" && ending(path) != "txt").count();
    if overlooked > 0 {
        let text = format!(
            "{} not looked at, being no pictures by their endings",
            counted(overlooked, "file of the folder is", "files of the folder are")
        );
        messages.push(Message::records(Weight::LeftOut, text).counting(overlooked));
    }
    if pictures.is_empty() {
        listing.whole()?;
        return Err(PictureError::Input {
            input: folder.to_path_buf(),
            message: "it holds no picture".into(),
            hint: format!("files ending in .{} are looked at, in all subfolders", PICTURES.join(", .")),
        });
    }
    let relative = |path: &Path| {
        let parts = path.strip_prefix(folder).unwrap_or(path).components();
        parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let refused = listing.refused.iter().filter(|r| r.is_folder || is_picture(&r.path));
    let mut left_out: Vec<(String, Reason)> =
        refused.map(|r| (relative(&r.path).join("/"), Reason::of(r.why))).collect();
    let named = pictures.into_iter().map(|path| (relative(&path), Watch::begin(&path)));
    let Some(table) = table else {
        let files = named.map(|(parts, file)| (file, of_folders(&parts))).collect();
        return Ok(Listed { files, left_out, table: None, messages });
    };
    let mut entries = read_table(table.path())?;
    // What is left out for another reason is in the folder all the same.
    for (whole, _) in &left_out {
        if entries.remove(whole).is_none() {
            entries.remove(whole.rsplit('/').next().unwrap_or_default());
        }
    }
    let mut files = Vec::new();
    for (parts, file) in named {
        let whole = parts.join("/");
        let entry =
            entries.remove(&whole).or_else(|| entries.remove(parts.last().map_or("", String::as_str)));
        match entry {
            Some(about) => files.push((file, About { name: whole, ..about })),
            None => left_out.push((whole, Reason::Unlisted)),
        }
    }
    if !entries.is_empty() {
        let text = format!(
            "{} listed in `{}` and not in the folder",
            counted(entries.len(), "file is", "files are"),
            name(table.path())
        );
        messages.push(Message::file(Weight::LeftOut, &name(table.path()), text).counting(entries.len()));
    }
    Ok(Listed { files, left_out, table: Some(table), messages })
}

/// The files with pictures in a folder and its subfolders, by name.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>, PictureError> {
    Ok(divided(&listing(folder)?).0)
}

fn listing(folder: &Path) -> Result<Listing, PictureError> {
    Ok(plain_file::walk(folder, DEPTH, is_shown)?)
}

/// The files with pictures of a folder and its subfolders, and the others.
fn divided(listing: &Listing) -> (Vec<PathBuf>, Vec<PathBuf>) {
    listing.files.iter().cloned().partition(|path| is_picture(path))
}

/// What the folders of a file say: the first that is called like a split is the split, the innermost of the
/// others the label.
fn of_folders(parts: &[String]) -> About {
    let folders = &parts[..parts.len() - 1];
    let split = folders.iter().find_map(|folder| split_of(folder));
    let label = folders.iter().rfind(|folder| split_of(folder).is_none()).cloned();
    About { name: parts.join("/"), patient: None, label, split }
}

/// The CSV of a folder: `labels.csv`, or the only one.
///
/// # Errors
/// Several; one that is not read.
fn table_of(folder: &Path, listing: &Listing) -> Result<Option<PathBuf>, PictureError> {
    let is_ours = |path: &Path| path.parent() == Some(folder) && ending(path) == "csv";
    if let Some(refused) = listing.refused.iter().find(|refused| is_ours(&refused.path)) {
        return Err(refused.error().into());
    }
    let mut tables: Vec<PathBuf> = listing.files.iter().filter(|path| is_ours(path)).cloned().collect();
    if let Some(table) = tables.iter().find(|table| name(table) == "labels.csv") {
        return Ok(Some(table.clone()));
    }
    if tables.len() > 1 {
        return Err(PictureError::Input {
            input: folder.to_path_buf(),
            message: format!("it holds several CSV files, {} and {}", name(&tables[0]), name(&tables[1])),
            hint: "call the one that lists the pictures labels.csv (columns file, patient, label, split)"
                .into(),
        });
    }
    Ok(tables.pop())
}

/// What a CSV says of each file.
fn read_table(path: &Path) -> Result<HashMap<String, About>, PictureError> {
    let names = column_names(path)?;
    let spelt = |wanted: &[&str]| {
        names.iter().find(|name| wanted.contains(&name.trim().to_lowercase().as_str())).map(String::as_str)
    };
    let file = spelt(&["file", "filename", "image", "path"]);
    let patient = spelt(&["patient", "patient_id", "subject", "subject_id"]);
    let (label, split) = (spelt(&["label", "class", "diagnosis"]), spelt(&["split"]));
    let Some(file) = file else {
        return Err(PictureError::File {
            file: path.to_path_buf(),
            message: format!("it has no column `file`, but {}", names.join(", ")),
            hint: "its columns are file, and where there are such, patient, label and split".into(),
        });
    };
    let columns: Vec<(&str, Kind)> =
        [Some(file), patient, label, split].into_iter().flatten().map(|c| (c, Kind::Categorical)).collect();
    let table = read_columns(path, &columns)?;
    let text = |column: Option<&str>, row: usize| text_of(&table, column?, row);
    let mut all = HashMap::new();
    for row in 0..table.n_records() {
        let Some(name) = text(Some(file), row) else { continue };
        let stated = text(split, row);
        let known = stated.as_deref().and_then(split_of);
        if let (Some(stated), None) = (&stated, known) {
            return Err(PictureError::File {
                file: path.to_path_buf(),
                message: format!("row {} has the split `{stated}`", row + 1),
                hint: "splits are train, validation (val), calibration and test".into(),
            });
        }
        let about =
            About { name: name.clone(), patient: text(patient, row), label: text(label, row), split: known };
        if all.insert(name.clone(), about).is_some() {
            return Err(PictureError::File {
                file: path.to_path_buf(),
                message: format!("row {} lists a file for the second time", row + 1),
                hint: "list each file once; name files of one name with their folders".into(),
            });
        }
    }
    Ok(all)
}

fn text_of(table: &RecordTable, column: &str, row: usize) -> Option<String> {
    table.columns.iter().find(|c| c.name == column).and_then(|c| match &c.cells {
        Cells::Text(texts) => texts.get(row).map(str::to_owned),
        Cells::Number(numbers) => Some(numbers.get(row)).filter(|x| !x.is_nan()).map(|x| x.to_string()),
    })
}
