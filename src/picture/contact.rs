//! Several pictures on one sheet, as PNG: each by itself, or beside the map of where its likelihood is
//! missing.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use super::map::{colour, heat};

/// Pixels between pictures.
const GAP: usize = 2;

/// A picture of a sheet.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'t> {
    /// Its levels, row after row, pixel after pixel, channel after channel.
    pub levels: &'t [u8],
    /// Nats of each number beyond what is expected of it; the map is drawn to the right of the picture.
    pub surplus: Option<&'t [f32]>,
}

/// A sheet with its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The file.
    pub png: Vec<u8>,
    /// Its pixels from left to right.
    pub width: usize,
    /// Its pixels from top to bottom.
    pub height: usize,
}

/// Draws pictures of the size `[rows, pixels of a row, channels]` in rows of `across`, pixel for pixel.
///
/// # Panics
/// If a picture or a map has another number of numbers than the size says.
pub fn contact_sheet(size: [usize; 3], n_levels: u32, tiles: &[Tile<'_>], across: usize) -> Sheet {
    let [height, width, channels] = size;
    let has_maps = tiles.iter().any(|tile| tile.surplus.is_some());
    let tile_width = if has_maps { 2 * width + GAP } else { width };
    let columns = across.clamp(1, tiles.len().max(1));
    let rows = tiles.len().div_ceil(columns).max(1);
    let whole = [columns * (tile_width + GAP) - GAP, rows * (height + GAP) - GAP];
    let mut image = RgbImage::from_pixel(whole[0] as u32, whole[1] as u32, Rgb([128; 3]));
    for (i, tile) in tiles.iter().enumerate() {
        let (left, top) = (i % columns * (tile_width + GAP), i / columns * (height + GAP));
        assert_eq!(tile.levels.len(), height * width * channels, "one level for each number");
        for (pixel, levels) in tile.levels.chunks_exact(channels).enumerate() {
            let (x, y) = (left + pixel % width, top + pixel / width);
            image.put_pixel(x as u32, y as u32, colour(levels, n_levels));
            if let Some(surplus) = tile.surplus {
                let missing = surplus[pixel * channels..(pixel + 1) * channels].iter().sum();
                image.put_pixel((x + width + GAP) as u32, y as u32, heat(missing));
            }
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).expect("invariant: memory can be written to");
    Sheet { png: bytes.into_inner(), width: whole[0], height: whole[1] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_rows_with_their_maps_beside_them() {
        let (dark, bright) = ([0_u8; 6], [3_u8; 6]);
        let surplus = [0.0, 0.0, 0.0, 0.0, 0.0, 100.0];
        let tile = |levels, surplus| Tile { levels, surplus };
        let tiles = [tile(&dark, Some(&surplus[..])), tile(&bright, Some(&surplus[..])), tile(&dark, None)];
        let sheet = contact_sheet([2, 3, 1], 4, &tiles, 2);
        // Two tiles of 3 + 2 + 3 pixels with a gap between them, and two rows.
        assert_eq!((sheet.width, sheet.height), (18, 6));
        let image = image::load_from_memory(&sheet.png).unwrap().to_rgb8();
        assert_eq!(image.dimensions(), (18, 6));
        let at = |x, y| image.get_pixel(x, y).0;
        assert_eq!((at(0, 0), at(10, 0)), ([0; 3], [255; 3]));
        // The last number of the map is white, the others are black, and what lies between is grey.
        assert_eq!((at(7, 1), at(6, 1), at(3, 0)), ([255; 3], [0; 3], [128; 3]));
        // The third has no map, and there is no fourth.
        assert_eq!((at(0, 4), at(5, 4), at(12, 4)), ([0; 3], [128; 3], [128; 3]));
    }
}
