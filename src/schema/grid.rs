//! The part of a pipeline that makes records of pictures.

use serde::{Deserialize, Serialize};

/// Most levels of a channel: pictures of more bits a channel are scaled to as many.
const MOST_LEVELS: u32 = 256;

/// How pictures become grids of whole numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Rows of a picture; 0 stands for the size that most pictures have, which the bundle then states.
    #[serde(default)]
    pub height: usize,
    /// Pixels of a row; 0 as for the height.
    #[serde(default)]
    pub width: usize,
    /// Numbers of a pixel; 0 stands for as many as most pictures have.
    #[serde(default)]
    pub channels: usize,
    /// Levels of a number.
    pub levels: u32,
    /// Whether the middle of a picture of other proportions is cut out.
    #[serde(default)]
    pub crop: bool,
    /// Whether colours become shades of grey.
    #[serde(default)]
    pub grey: bool,
    /// Of files with many pictures side by side, rows and pixels of a row of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tile: Option<(usize, usize)>,
    /// Of files each of whose rows is a whole picture, rows and pixels of a row of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<(usize, usize)>,
    /// The numbers that stand for black and white, in files of more than eight bits a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// The label of the pictures that a model may be fitted and calibrated on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<String>,
}

impl Default for Grid {
    fn default() -> Self {
        Self {
            height: 0,
            width: 0,
            channels: 0,
            levels: MOST_LEVELS,
            crop: false,
            grey: false,
            tile: None,
            row: None,
            range: None,
            normal: None,
        }
    }
}

/// Keys of `--set` that only pipelines of pictures have; they are also those of a pipeline's file.
pub(super) const KEYS: [&str; 8] = ["size", "levels", "crop", "grey", "tile", "row", "range", "normal"];
/// Keys of `--set` that have no meaning for pictures, whose numbers have a map and a noise of their own.
pub(super) const NOT_FOR_PICTURES: [&str; 4] =
    ["transform", "dequantize", "min_observed", "min_level_patients"];

impl Grid {
    /// Numbers of a picture, once its size is known.
    pub fn n_numbers(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// What is wrong with settings that only together are.
    pub(super) fn check(&self) -> Option<(&'static str, String)> {
        (self.tile.is_some() && self.row.is_some()).then(|| {
            let message = "`tile` is for files with pictures side by side, and `row` for files each of whose \
                           rows is a picture: set one of them";
            ("row", message.to_owned())
        })
    }

    /// Applies `--set key=value`; none when the key is not one of [`KEYS`].
    pub(super) fn set(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let flag = |value: &str| match value {
            "true" | "yes" => Ok(true),
            "false" | "no" => Ok(false),
            _ => Err(format!("must be true or false, got `{value}`")),
        };
        Some(match key {
            "size" => size(value).map(|(height, width)| (self.height, self.width) = (height, width)),
            "tile" => size(value).map(|size| self.tile = Some(size)),
            "row" => size(value).map(|size| self.row = Some(size)),
            "levels" => levels(value).map(|levels| self.levels = levels),
            "crop" => flag(value).map(|crop| self.crop = crop),
            "grey" => flag(value).map(|grey| self.grey = grey),
            "range" => range(value).map(|range| self.range = Some(range)),
            "normal" if value.is_empty() => Err("no label is given".into()),
            "normal" => {
                self.normal = Some(value.to_owned());
                Ok(())
            }
            _ => return None,
        })
    }
}

/// Largest side of a picture that a size may name.
const LARGEST_SIDE: usize = 1024;

/// `32`, or rows and pixels of a row as `24x32`.
fn size(text: &str) -> Result<(usize, usize), String> {
    let wrong = || {
        format!(
            "must be a number of pixels from 1 to {LARGEST_SIDE}, or rows x columns as 24x32, got `{text}`"
        )
    };
    let side = |text: &str| text.trim().parse().ok().filter(|n| (1..=LARGEST_SIDE).contains(n));
    let (height, width) = text.split_once(['x', '×']).unwrap_or((text, text));
    side(height).zip(side(width)).ok_or_else(wrong)
}

fn levels(text: &str) -> Result<u32, String> {
    let allowed = |n: &u32| n.is_power_of_two() && (2..=MOST_LEVELS).contains(n);
    text.parse().ok().filter(allowed).ok_or_else(|| {
        format!(
            "must be a power of two from 2 to {MOST_LEVELS}, as every level stands for as many shades, got \
             `{text}`"
        )
    })
}

/// Black and white, as `0,4095`.
fn range(text: &str) -> Result<(f64, f64), String> {
    let ends = text.split_once(',').and_then(|(low, high)| {
        let (low, high): (f64, f64) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        (low.is_finite() && high.is_finite() && low < high).then_some((low, high))
    });
    ends.ok_or_else(|| format!("must be the numbers of black and of white, as 0,4095, got `{text}`"))
}
