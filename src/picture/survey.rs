//! What the pictures of an input are, told from headers alone, and the settings that bring all of them to one
//! size to which a model is fitted within minutes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::source::{self, Source, is_array, is_picture, name};
use super::{PictureError, arrays, decode, folder};
use crate::message::counted;
use crate::schema::Grid;

/// Fewer files with one picture each are no set of records: they may be figures beside a table.
const FEWEST: usize = 20;
/// Headers of a folder that are looked at, evenly spread: a header is read with its whole file.
const LOOKED_AT: usize = 200;
/// Pixels of a picture that is taken as it is.
const TAKEN: usize = 64 * 64;
/// The longer side of a picture that is made smaller.
const SIDE: usize = 32;

/// Pictures of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// What they are, in words.
    pub what: String,
    /// Settings of the pipeline of pictures.
    pub settings: Vec<(String, String)>,
}

/// Looks at an input. None where it holds no pictures, or so few beside `tables` that they are about these.
///
/// # Errors
/// [`PictureError`] for files of pictures that are not what they say, and for pictures of which only a user
/// can say how they are to be read.
pub fn survey(input: &Path, tables: bool) -> Result<Option<Survey>, PictureError> {
    let is_ours = |path: &Path| is_array(path) || is_picture(path);
    if input.is_file() {
        return if is_ours(input) { of_source(input).map(Some) } else { Ok(None) };
    }
    let files = source::files_of(input)?;
    if files.iter().any(|file| is_array(file)) {
        return match (of_source(input), tables) {
            (found, false) => found.map(Some),
            // Arrays beside tables that are no pictures are not what the folder is about.
            (Err(_), true) => Ok(None),
            (Ok(found), true) => Err(PictureError::Input {
                input: input.to_path_buf(),
                message: format!("it holds {} in arrays, and tables", found.what),
                hint: "name the file that is meant".into(),
            }),
        };
    }
    let pictures = folder::pictures(input)?;
    match pictures.len() {
        0 => Ok(None),
        n if n < FEWEST && tables => Ok(None),
        n if n < FEWEST => Err(PictureError::Input {
            input: input.to_path_buf(),
            message: format!(
                "it holds {} ({}), too few for a model",
                counted(n, "picture", "pictures"),
                pictures.iter().take(3).map(|path| name(path)).collect::<Vec<_>>().join(", ")
            ),
            hint: "if each file holds many pictures, say how by `ingest images --set tile=32x32` (side by \
                   side) or `--set row=32x32` (a row of pixels each), and go on with `fit`, `flag` and `report`"
                .into(),
        }),
        _ => Ok(Some(of_folder(&pictures))),
    }
}

fn of_source(input: &Path) -> Result<Survey, PictureError> {
    let Source::Arrays(files) = source::open(input, &Grid::default())? else {
        unreachable!("invariant: an input with arrays in it is a source of arrays, or refused")
    };
    let files: Vec<PathBuf> = files.iter().map(|file| file.path().to_path_buf()).collect();
    let (arrays, _) = arrays::open(&files)?;
    if let Some(array) = arrays.iter().find(|array| array.needs_range()) {
        return Err(PictureError::Input {
            input: input.to_path_buf(),
            message: format!("the numbers of `{}` do not say which are black and white", array.name()),
            hint:
                "declare them by `ingest images --set range=0,1` for shares or `--set range=0,4095` for 12 \
                   bits, and go on with `fit`, `flag` and `report`"
                    .into(),
        });
    }
    let n = arrays.iter().map(|array| array.n).sum();
    Ok(described(n, &[arrays::size(&arrays)?]))
}

fn of_folder(pictures: &[PathBuf]) -> Survey {
    let step = pictures.len().div_ceil(LOOKED_AT);
    // Files without a usable header are counted when they are read.
    let headers = pictures.iter().step_by(step).filter_map(|path| decode::header(path).ok());
    let sizes: Vec<[usize; 3]> = headers.map(|header| header.size).collect();
    described(pictures.len(), &sizes)
}

/// The pictures in words, with the settings for the sizes that were met.
fn described(n: usize, sizes: &[[usize; 3]]) -> Survey {
    let n = counted(n, "picture", "pictures");
    let Some([height, width, _]) = super::gather::most(sizes.iter().copied()) else {
        return Survey { what: n, settings: Vec::new() };
    };
    let several = sizes.iter().any(|size| size[..2] != [height, width]);
    let mixed = sizes.iter().any(|size| size[2] != sizes[0][2]);
    let mut settings = Vec::new();
    let mut set = |key: &str, value: String| settings.push((key.to_owned(), value));
    let mut what = format!("{n}{} of {height} × {width} pixels", if several { ", most" } else { "" });
    if several || height * width > TAKEN {
        let shrink = (SIDE as f64 / height.max(width) as f64).min(1.0);
        let side = |length: usize| ((length as f64 * shrink).round() as usize).max(1);
        let (rows, columns) = (side(height), side(width));
        let _ = write!(what, ", brought to {rows} × {columns}");
        set("size", format!("{rows}x{columns}"));
        set("crop", "true".into());
    }
    if mixed {
        what += ", colours made grey since some have none";
        set("grey", "true".into());
    }
    Survey { what, settings }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(sizes: &[[usize; 3]]) -> String {
        let all = described(30, sizes).settings;
        all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn small_pictures_of_one_size_are_taken_as_they_are() {
        assert_eq!(settings(&[[28, 28, 1]]), "");
        assert_eq!(settings(&[[64, 64, 3]; 5]), "");
        assert_eq!(described(30, &[[28, 20, 1]]).what, "30 pictures of 28 × 20 pixels");
    }

    #[test]
    fn large_ones_keep_their_proportions_and_others_are_cut() {
        assert_eq!(settings(&[[1024, 512, 1]; 3]), "size=32x16 crop=true");
        assert_eq!(settings(&[[20, 10, 1], [20, 10, 1], [30, 10, 3]]), "size=20x10 crop=true grey=true");
        assert_eq!(settings(&[[3, 2000, 1]; 3]), "size=1x32 crop=true");
    }
}
