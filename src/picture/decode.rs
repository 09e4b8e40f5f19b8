//! One picture of a PNG, JPEG or TIFF file. What its header says is looked at before anything is decoded.

use std::io::{BufReader, Cursor, Seek, SeekFrom};
use std::path::Path;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::tiff::TiffDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, Limits};

use super::{Picture, Reason, tiff_pages};
use crate::plain_file;

/// Most pixels of a picture: a chest X-ray has ten million.
const MOST_PIXELS: u64 = 1 << 26;
/// Most bytes that a decoder may ask for.
const MOST_BYTES: u64 = 1 << 29;
/// Largest file that is opened.
const MOST_FILE: u64 = 1 << 29;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Rows, pixels of a row and channels, as the picture is meant to be looked at.
    pub(super) size: [usize; 3],
    /// Whether a number has more than eight bits.
    pub(super) deep: bool,
}

/// Reads the header of a file.
///
/// # Errors
/// Why the picture cannot be used, as far as the header tells.
pub(super) fn header(path: &Path) -> Result<Header, Reason> {
    open(path, |decoder| described(decoder).map(|(header, _)| header))
}

/// Decodes a file; numbers of more than eight bits are brought from `range` to eight.
///
/// # Errors
/// Why the picture cannot be used.
pub(super) fn decode(path: &Path, range: Option<(f64, f64)>) -> Result<Picture, Reason> {
    open(path, |decoder| {
        let (header, orientation) = described(decoder)?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(MOST_BYTES);
        decoder.set_limits(limits).map_err(|_| Reason::TooLarge)?;
        let (width, height) = decoder.dimensions();
        let color = decoder.color_type();
        let mut bytes = vec![0; usize::try_from(decoder.total_bytes()).map_err(|_| Reason::TooLarge)?];
        decoder.read(&mut bytes)?;
        let picture = dynamic(color, width, height, bytes).ok_or(Reason::Unreadable)?;
        plain(picture, orientation, header, range)
    })
}

/// A decoder of any of the three formats, through a pointer: the library's trait cannot be used so.
trait Decoder {
    fn dimensions(&self) -> (u32, u32);
    fn color_type(&self) -> image::ColorType;
    fn original(&self) -> ExtendedColorType;
    fn orientation(&mut self) -> Orientation;
    fn total_bytes(&self) -> u64;
    fn set_limits(&mut self, limits: Limits) -> image::ImageResult<()>;
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), Reason>;
}

struct Held<D>(Option<D>);

impl<D: ImageDecoder> Held<D> {
    fn get(&self) -> &D {
        self.0.as_ref().expect("invariant: a decoder is read once")
    }
}

impl<D: ImageDecoder> Decoder for Held<D> {
    fn dimensions(&self) -> (u32, u32) {
        self.get().dimensions()
    }

    fn color_type(&self) -> image::ColorType {
        self.get().color_type()
    }

    fn original(&self) -> ExtendedColorType {
        self.get().original_color_type()
    }

    fn orientation(&mut self) -> Orientation {
        self.0.as_mut().and_then(|d| d.orientation().ok()).unwrap_or(Orientation::NoTransforms)
    }

    fn total_bytes(&self) -> u64 {
        self.get().total_bytes()
    }

    fn set_limits(&mut self, limits: Limits) -> image::ImageResult<()> {
        self.0.as_mut().map_or(Ok(()), |d| d.set_limits(limits))
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), Reason> {
        let decoder = self.0.take().ok_or(Reason::Unreadable)?;
        decoder.read_image(bytes).map_err(|_| Reason::Unreadable)
    }
}

/// Opens a file and hands on a decoder of its format.
fn open<T>(path: &Path, then: impl FnOnce(&mut dyn Decoder) -> Result<T, Reason>) -> Result<T, Reason> {
    let unreadable = |_| Reason::Unreadable;
    let size = path.metadata().map_err(unreadable)?.len();
    if size > MOST_FILE {
        return Err(Reason::TooLarge);
    }
    let bytes = plain_file::read(path).map_err(unreadable)?;
    if is_dicom(&bytes) {
        return Err(Reason::Dicom);
    }
    let format = image::guess_format(&bytes).map_err(|_| Reason::Unreadable)?;
    let mut reader = BufReader::new(Cursor::new(bytes));
    match format {
        ImageFormat::Png => {
            let mut limits = Limits::default();
            limits.max_alloc = Some(MOST_BYTES);
            let png = PngDecoder::with_limits(reader, limits).map_err(|_| Reason::Unreadable)?;
            if png.is_apng().map_err(|_| Reason::Unreadable)? {
                return Err(Reason::Frames);
            }
            then(&mut Held(Some(png)))
        }
        ImageFormat::Jpeg => {
            if jpeg_channels(reader.get_ref().get_ref()) == Some(4) {
                return Err(Reason::Cmyk);
            }
            then(&mut Held(Some(JpegDecoder::new(reader).map_err(|_| Reason::Unreadable)?)))
        }
        ImageFormat::Tiff => {
            if tiff_pages::has_several(&mut reader).map_err(unreadable)? {
                return Err(Reason::Frames);
            }
            reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
            then(&mut Held(Some(TiffDecoder::new(reader).map_err(|_| Reason::Unreadable)?)))
        }
        _ => Err(Reason::Unreadable),
    }
}

/// Whether a file is DICOM: its name of four letters stands behind 128 free bytes.
fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(128..132) == Some(b"DICM")
}

/// The number of channels that the frame of a JPEG file states. The decoder would turn four inks into three
/// colours without a word.
fn jpeg_channels(bytes: &[u8]) -> Option<u8> {
    let mut at = 2;
    while bytes.get(at) == Some(&0xff) {
        let marker = *bytes.get(at + 1)?;
        if marker == 0xff {
            at += 1;
            continue;
        }
        if (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker) {
            return bytes.get(at + 9).copied();
        }
        at += 2 + usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
    }
    None
}

/// The header of a picture that can be used, and how it is turned.
fn described(decoder: &mut dyn Decoder) -> Result<(Header, Orientation), Reason> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Reason::TooLarge);
    }
    if matches!(decoder.original(), ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16) {
        return Err(Reason::Cmyk);
    }
    let color = decoder.color_type();
    let deep = color.bytes_per_pixel() / color.channel_count() > 1;
    let channels = if color.has_color() { 3 } else { 1 };
    let orientation = decoder.orientation();
    let (height, width) = (height as usize, width as usize);
    let size = match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => [width, height, channels],
        _ => [height, width, channels],
    };
    Ok((Header { size, deep }, orientation))
}

/// The library's picture of decoded bytes, whose words have the order of this machine.
fn dynamic(color: image::ColorType, width: u32, height: u32, bytes: Vec<u8>) -> Option<DynamicImage> {
    use image::{ColorType, ImageBuffer};
    let words = |bytes: &[u8]| -> Vec<u16> {
        bytes.as_chunks::<2>().0.iter().map(|b| u16::from_ne_bytes(*b)).collect()
    };
    match color {
        ColorType::L8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        ColorType::La8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8),
        ColorType::Rgb8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
        ColorType::Rgba8 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8),
        ColorType::L16 => ImageBuffer::from_raw(width, height, words(&bytes)).map(DynamicImage::ImageLuma16),
        ColorType::La16 => {
            ImageBuffer::from_raw(width, height, words(&bytes)).map(DynamicImage::ImageLumaA16)
        }
        ColorType::Rgb16 => ImageBuffer::from_raw(width, height, words(&bytes)).map(DynamicImage::ImageRgb16),
        ColorType::Rgba16 => {
            ImageBuffer::from_raw(width, height, words(&bytes)).map(DynamicImage::ImageRgba16)
        }
        _ => None,
    }
}

/// The numbers of a picture, turned as it is meant, without transparency and with eight bits.
fn plain(
    mut picture: DynamicImage,
    orientation: Orientation,
    header: Header,
    range: Option<(f64, f64)>,
) -> Result<Picture, Reason> {
    picture.apply_orientation(orientation);
    let size = header.size;
    let transparent = picture.color().has_alpha();
    let channels = size[2] + usize::from(transparent);
    let values = if header.deep {
        let range = range.ok_or(Reason::Depth)?;
        let words: Vec<u16> = match picture {
            DynamicImage::ImageLuma16(p) => p.into_raw(),
            DynamicImage::ImageLumaA16(p) => p.into_raw(),
            DynamicImage::ImageRgb16(p) => p.into_raw(),
            DynamicImage::ImageRgba16(p) => p.into_raw(),
            _ => return Err(Reason::Depth),
        };
        let opaque = u16::MAX;
        let words = without_alpha(&words, channels, transparent, opaque)?;
        words.into_iter().map(|x| eight_bits(f64::from(x), range)).collect::<Result<_, _>>()?
    } else {
        without_alpha(picture.as_bytes(), channels, transparent, u8::MAX)?
    };
    Ok(Picture { size, values })
}

/// The numbers without those that say how opaque a pixel is, all of which have to be.
fn without_alpha<T: Copy + PartialEq>(
    values: &[T],
    channels: usize,
    transparent: bool,
    opaque: T,
) -> Result<Vec<T>, Reason> {
    if !transparent {
        return Ok(values.to_vec());
    }
    let pixels = values.chunks_exact(channels);
    if pixels.clone().any(|pixel| pixel[channels - 1] != opaque) {
        return Err(Reason::Transparent);
    }
    Ok(pixels.flat_map(|pixel| &pixel[..channels - 1]).copied().collect())
}

/// A number between black and white on the scale from 0 to 255, rounded down so that every step is as wide.
///
/// # Errors
/// [`Reason::Range`] for a number beyond either, or none.
pub(super) fn eight_bits(x: f64, (black, white): (f64, f64)) -> Result<u8, Reason> {
    if !(black..=white).contains(&x) {
        return Err(Reason::Range);
    }
    Ok(((x - black) / (white - black) * 256.0).min(255.0) as u8)
}
