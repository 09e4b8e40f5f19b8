//! What an input is: files that hold many pictures, or folders of files that hold one each. Names tell
//! splits.

use std::path::{Path, PathBuf};

use super::PictureError;
use super::idx;
use crate::ingest::IngestError;
use crate::plain_file::{self, Watch};
use crate::schema::{Grid, Split};

/// An input with its files.
#[derive(Debug)]
pub(super) enum Source {
    /// Files of arrays.
    Arrays(Vec<Watch>),
    /// A folder of files with a picture each.
    Folder(PathBuf),
    /// Files with many pictures each.
    Sheets(Vec<Watch>),
}

/// Endings of files with one picture.
pub(super) const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "tif", "tiff", "dcm"];
/// Endings of arrays.
const ARRAYS: [&str; 2] = ["npy", "npz"];

/// The ending of a file's name in small letters.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map_or_else(String::new, |e| e.to_string_lossy().to_lowercase())
}

/// The name of a file without its folders.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Whether a file holds one picture, by its name.
pub(super) fn is_picture(path: &Path) -> bool {
    PICTURES.contains(&ending(path).as_str())
}

/// Whether a file holds an array, by its name or its first bytes.
pub(super) fn is_array(path: &Path) -> bool {
    is_called_array(path) || ending(path).is_empty() && idx::is_idx(path)
}

fn is_called_array(path: &Path) -> bool {
    ARRAYS.contains(&ending(path).as_str())
        || ["-ubyte", "-ubyte.gz", ".idx", ".idx.gz", ".idx3"].iter().any(|end| name(path).ends_with(end))
}

/// What an input is.
///
/// # Errors
/// [`PictureError::Input`] for an input without pictures, or of two kinds.
pub(super) fn open(input: &Path, settings: &Grid) -> Result<Source, PictureError> {
    if !input.exists() {
        return Err(IngestError::NoInput(input.display().to_string()).into());
    }
    if plain_file::is_pipe_or_device(input) {
        return Err(IngestError::NoFile(input.display().to_string()).into());
    }
    let wrong = |message: String, hint: &str| {
        Err(PictureError::Input { input: input.to_path_buf(), message, hint: hint.into() })
    };
    let sheets = settings.tile.is_some() || settings.row.is_some();
    let files = if input.is_dir() { files_of(input)? } else { vec![input.to_path_buf()] };
    let arrays: Vec<PathBuf> = files.iter().filter(|f| is_array(f)).cloned().collect();
    let pictures: Vec<PathBuf> = files.iter().filter(|f| is_picture(f)).cloned().collect();
    match (arrays.is_empty(), pictures.is_empty()) {
        (false, false) => wrong(
            format!("it holds arrays ({}) and files of pictures ({})", name(&arrays[0]), name(&pictures[0])),
            "name the file or the folder that is meant",
        ),
        (false, true) if sheets => wrong(
            "`tile` and `row` are for files of pictures, and these are arrays".into(),
            "leave them out; an array says the size of its pictures itself",
        ),
        (false, true) => Ok(Source::Arrays(watched(&arrays))),
        (true, false) if sheets => Ok(Source::Sheets(watched(&pictures))),
        (true, false) if !input.is_dir() => wrong(
            "a single picture is no set of records".into(),
            "name a folder of pictures, or say how they lie in the file by --set tile=32x32 or row=32x32",
        ),
        _ if input.is_dir() => Ok(Source::Folder(input.to_path_buf())),
        _ => wrong(
            "it is no file of pictures that is known".into(),
            "IDX (plain or .gz), .npy, .npz, and folders or sheets of PNG, JPEG and TIFF are read",
        ),
    }
}

fn watched(files: &[PathBuf]) -> Vec<Watch> {
    files.iter().map(|file| Watch::begin(file)).collect()
}

/// The files right in a folder, by name.
///
/// # Errors
/// A folder that cannot be read; an array in it that is not read, since it may hold a split or the labels.
pub(super) fn files_of(folder: &Path) -> Result<Vec<PathBuf>, PictureError> {
    let listing = plain_file::walk(folder, 0, is_shown)?;
    match listing.refused.iter().find(|refused| is_called_array(&refused.path)) {
        Some(refused) => Err(refused.error().into()),
        None => Ok(listing.files),
    }
}

/// Whether a name is not that of a hidden file or folder.
pub(super) fn is_shown(name: &str) -> bool {
    !name.starts_with('.')
}

/// The split that a name of a folder, file or array states.
pub(super) fn split_of(name: &str) -> Option<Split> {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.into_iter().find_map(|word| match word {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" | "dev" => Some(Split::Validation),
        "cal" | "calibration" => Some(Split::Calibration),
        "test" | "testing" | "t10k" => Some(Split::Test),
        _ => None,
    })
}
