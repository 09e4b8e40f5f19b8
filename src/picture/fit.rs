//! Pictures of any size and colours → one size, as many channels, as many levels.

use super::{Picture, PictureError, Reason};
use crate::schema::Grid;

/// Most numbers of a picture in a bundle, where each of them is a column.
const MOST_NUMBERS: usize = 1 << 14;
/// By what share the proportions of a picture may differ from those asked for without being cut.
const PROPORTIONS: f64 = 0.02;

/// What all pictures are brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// Rows, pixels of a row, channels.
    pub(super) size: [usize; 3],
    /// Whether pictures of another size are brought to this one; otherwise they are left out.
    resize: bool,
    crop: bool,
    grey: bool,
    levels: u32,
}

impl Target {
    /// The target of pictures most of which have the size `usual`.
    ///
    /// # Errors
    /// [`PictureError::Setting`] for pictures of more numbers than a bundle holds, and for a cut without a
    /// size.
    pub(super) fn of(usual: [usize; 3], settings: &Grid) -> Result<Self, PictureError> {
        let resize = settings.height > 0;
        if settings.crop && !resize {
            return Err(PictureError::Setting {
                message: "`crop` cuts pictures to the proportions of a size, and no size is set".into(),
                hint: "add `--set size=32`, or rows x columns as `--set size=24x32`".into(),
            });
        }
        let [height, width, channels] = usual;
        let (height, width) = if resize { (settings.height, settings.width) } else { (height, width) };
        let size = [height, width, if settings.grey { 1 } else { channels }];
        let n: usize = size.iter().product();
        if n > MOST_NUMBERS {
            let [_, _, channels] = size;
            return Err(PictureError::Setting {
                message: format!(
                    "pictures of {height} × {width} pixels with {channels} channels have {n} numbers; up to \
                     {MOST_NUMBERS} are allowed"
                ),
                hint: "make them smaller by `--set size=32`, or grey by `--set grey=true`".into(),
            });
        }
        Ok(Self { size, resize, crop: settings.crop, grey: settings.grey, levels: settings.levels })
    }

    /// The levels of a picture.
    ///
    /// # Errors
    /// Why the picture cannot be used.
    pub(super) fn apply(&self, picture: &Picture) -> Result<Vec<u8>, Reason> {
        let [height, width, channels] = self.size;
        let mut picture = self.coloured(picture)?;
        if picture.size != self.size {
            if !self.resize {
                return Err(Reason::Size);
            }
            picture = proportioned(&picture, height, width, self.crop)?;
            let values = resampled(&picture, height, width);
            picture = Picture { size: self.size, values };
        }
        debug_assert_eq!(picture.values.len(), height * width * channels);
        let levels = picture.values.iter().map(|v| (u32::from(*v) * self.levels / 256) as u8);
        let levels: Vec<u8> = levels.collect();
        if levels.iter().all(|level| *level == levels[0]) {
            return Err(Reason::Flat);
        }
        Ok(levels)
    }

    /// The picture with the channels of the target.
    fn coloured(&self, picture: &Picture) -> Result<Picture, Reason> {
        let [height, width, channels] = picture.size;
        let size = [height, width, self.size[2]];
        if channels == self.size[2] {
            return Ok(picture.clone());
        }
        if (channels, self.size[2]) != (3, 1) {
            return Err(Reason::Channels);
        }
        let pixels = picture.values.as_chunks::<3>().0;
        if !self.grey && pixels.iter().any(|[red, green, blue]| red != green || green != blue) {
            return Err(Reason::Channels);
        }
        // ITU-R BT.601, as Pillow and OpenCV have it.
        let grey = |[red, green, blue]: &[u8; 3]| {
            ((299 * u32::from(*red) + 587 * u32::from(*green) + 114 * u32::from(*blue) + 500) / 1000) as u8
        };
        Ok(Picture { size, values: pixels.iter().map(grey).collect() })
    }
}

/// The middle of a picture in the proportions asked for.
fn proportioned(picture: &Picture, height: usize, width: usize, crop: bool) -> Result<Picture, Reason> {
    let [rows, columns, channels] = picture.size;
    let ratio = (rows * width) as f64 / (columns * height) as f64;
    if (ratio - 1.0).abs() <= PROPORTIONS {
        return Ok(picture.clone());
    }
    if !crop {
        return Err(Reason::Size);
    }
    let kept_rows = rows.min((columns * height).div_ceil(width)).max(1);
    let kept_columns = columns.min((rows * width).div_ceil(height)).max(1);
    let (top, left) = ((rows - kept_rows) / 2, (columns - kept_columns) / 2);
    let row = |r: usize| {
        let from = ((top + r) * columns + left) * channels;
        &picture.values[from..from + kept_columns * channels]
    };
    let values = (0..kept_rows).flat_map(row).copied().collect();
    Ok(Picture { size: [kept_rows, kept_columns, channels], values })
}

/// For each of `to` pixels of a line, the pixels of a line of `from` that it covers, with the share of each.
fn covered(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let step = from as f64 / to as f64;
    let pixel = |i: usize| {
        let (begin, end) = (i as f64 * step, ((i + 1) as f64 * step).min(from as f64));
        let last = (end.ceil() as usize).clamp(1, from);
        let share = |j: usize| (end.min((j + 1) as f64) - begin.max(j as f64)).max(0.0) / (end - begin);
        ((begin as usize).min(last - 1)..last).map(|j| (j, share(j))).collect()
    };
    (0..to).map(pixel).collect()
}

/// The picture with other numbers of rows and columns, each pixel the mean of the area it covers.
pub(super) fn resampled(picture: &Picture, height: usize, width: usize) -> Vec<u8> {
    let means = means(&picture.values, picture.size, height, width);
    means.into_iter().map(|x| x.round().clamp(0.0, 255.0) as u8).collect()
}

/// Means of areas: rows × pixels × channels of a picture as `height` × `width` × channels.
pub(super) fn means(
    values: &[u8],
    [rows, columns, channels]: [usize; 3],
    height: usize,
    width: usize,
) -> Vec<f64> {
    let across = covered(columns, width);
    let mut narrow = vec![0.0; rows * width * channels];
    for (r, out) in narrow.chunks_exact_mut(width * channels).enumerate() {
        let row = &values[r * columns * channels..];
        for (out, parts) in out.chunks_exact_mut(channels).zip(&across) {
            for (c, out) in out.iter_mut().enumerate() {
                *out = parts.iter().map(|&(j, share)| share * f64::from(row[j * channels + c])).sum();
            }
        }
    }
    let stride = width * channels;
    let mut means = vec![0.0; height * stride];
    for (out, parts) in means.chunks_exact_mut(stride).zip(covered(rows, height)) {
        for (r, share) in parts {
            out.iter_mut().zip(&narrow[r * stride..]).for_each(|(out, x)| *out += share * x);
        }
    }
    means
}
