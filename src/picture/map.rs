//! A picture beside the map of where its likelihood is missing, as PNG.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

/// Smallest height or width that a picture is enlarged to, in pixels.
const SIDE: usize = 224;
/// Nats at which the scale of colours ends. It is the same for all maps, so that they can be compared.
const MOST: f32 = 8.0;

/// A picture with its map.
pub struct Shown<'s> {
    /// Rows, pixels of a row, channels.
    pub size: [usize; 3],
    /// Its levels.
    pub levels: &'s [u8],
    /// How many levels there are.
    pub n_levels: u32,
    /// Nats of each number beyond what is expected of it.
    pub surplus: &'s [f32],
}

/// The picture on the left and its map on the right: black where it is as expected or better, then red,
/// yellow and white with every nat that is missing.
///
/// # Panics
/// If there are fewer levels or numbers of the map than the size says.
pub fn heat_map_png(shown: &Shown<'_>) -> Vec<u8> {
    let [height, width, channels] = shown.size;
    let scale = (SIDE / height.max(width)).max(1);
    let gap = 8;
    let (tall, wide) = (height * scale, 2 * width * scale + gap);
    let mut image = RgbImage::from_pixel(wide as u32, tall as u32, Rgb([128; 3]));
    for row in 0..height {
        for column in 0..width {
            let at = (row * width + column) * channels;
            let levels = &shown.levels[at..at + channels];
            let missing: f32 = shown.surplus[at..at + channels].iter().sum();
            let left = colour(levels, shown.n_levels);
            let right = heat(missing);
            for y in row * scale..(row + 1) * scale {
                for x in column * scale..(column + 1) * scale {
                    image.put_pixel(x as u32, y as u32, left);
                    image.put_pixel((x + width * scale + gap) as u32, y as u32, right);
                }
            }
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).expect("invariant: memory can be written to");
    bytes.into_inner()
}

pub(super) fn colour(levels: &[u8], n_levels: u32) -> Rgb<u8> {
    let shade = |level: u8| (u32::from(level) * 255 / (n_levels - 1)) as u8;
    match *levels {
        [red, green, blue] => Rgb([shade(red), shade(green), shade(blue)]),
        [grey, ..] => Rgb([shade(grey); 3]),
        [] => Rgb([0; 3]),
    }
}

pub(super) fn heat(missing: f32) -> Rgb<u8> {
    let share = (missing / MOST).clamp(0.0, 1.0) * 3.0;
    let part = |from: f32| ((share - from).clamp(0.0, 1.0) * 255.0) as u8;
    Rgb([part(0.0), part(1.0), part(2.0)])
}
