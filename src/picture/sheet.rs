//! Many pictures in one file: side by side, or a row of pixels each.

use std::path::Path;

use super::source::{name, split_of};
use super::{About, Picture, PictureError, decode};
use crate::schema::Grid;

/// The size of the pictures that the settings declare, with the channels of the first file.
///
/// # Errors
/// [`PictureError::File`] for a first file that cannot be used.
pub(super) fn size(first: &Path, settings: &Grid) -> Result<[usize; 3], PictureError> {
    let header = decode::header(first).map_err(|reason| unusable(first, reason))?;
    let (height, width) = settings.tile.or(settings.row).unwrap_or((header.size[0], header.size[1]));
    Ok([height, width, header.size[2]])
}

fn unusable(file: &Path, reason: super::Reason) -> PictureError {
    PictureError::File {
        file: file.to_path_buf(),
        message: format!("this file of pictures {}", reason.name()),
        hint: reason.remedy().into(),
    }
}

/// The pictures of a file, row after row and from left to right.
///
/// # Errors
/// [`PictureError::File`] for a file that cannot be used, or is no whole number of pictures.
pub(super) fn cut(file: &Path, settings: &Grid) -> Result<Vec<(About, Picture)>, PictureError> {
    let sheet = decode::decode(file, settings.range).map_err(|reason| unusable(file, reason))?;
    let [rows, columns, channels] = sheet.size;
    let wrong =
        |message: String, hint: String| Err(PictureError::File { file: file.to_path_buf(), message, hint });
    let pictures: Vec<Picture> = match (settings.tile, settings.row) {
        (Some((height, width)), _) => {
            if !rows.is_multiple_of(height) || !columns.is_multiple_of(width) {
                let hint = if columns == height * width {
                    format!("each row has as many pixels as a picture: --set row={height}x{width}")
                } else {
                    "set the size of one of the pictures side by side, without gaps between them".to_owned()
                };
                return wrong(
                    format!("{rows} × {columns} pixels are no whole number of tiles of {height} × {width}"),
                    hint,
                );
            }
            let tile = |i: usize| {
                let (top, left) = (i / (columns / width) * height, i % (columns / width) * width);
                let row = |r: usize| {
                    let from = ((top + r) * columns + left) * channels;
                    &sheet.values[from..from + width * channels]
                };
                Picture {
                    size: [height, width, channels],
                    values: (0..height).flat_map(row).copied().collect(),
                }
            };
            (0..rows / height * (columns / width)).map(tile).collect()
        }
        (None, Some((height, width))) => {
            if columns != height * width {
                return wrong(
                    format!(
                        "a row has {columns} pixels, and a picture of {height} × {width} has {}",
                        height * width
                    ),
                    "set the size of the picture that a row is; --set tile= is for pictures side by side"
                        .into(),
                );
            }
            let rows = sheet.values.chunks_exact(columns * channels);
            rows.map(|row| Picture { size: [height, width, channels], values: row.to_vec() }).collect()
        }
        (None, None) => vec![sheet],
    };
    let name = name(file);
    let about = |i: usize| About { name: format!("{name}[{i}]"), split: split_of(&name), ..About::default() };
    Ok(pictures.into_iter().enumerate().map(|(i, picture)| (about(i), picture)).collect())
}
