//! Files that promise more than they hold, or are damaged where the header does not tell.

use image::codecs::tiff::TiffEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbaImage};

use super::*;

/// A grey TIFF with some of the words of its directory replaced.
fn tiff(replaced: &[(u16, u32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let raw = grey(6, 6, 2).into_raw();
    TiffEncoder::new(Cursor::new(&mut bytes)).write_image(&raw, 6, 6, ExtendedColorType::L8).unwrap();
    let directory = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let entries = usize::from(u16::from_le_bytes(bytes[directory..directory + 2].try_into().unwrap()));
    for (tag, value) in replaced {
        let at = (0..entries).map(|i| directory + 2 + 12 * i);
        let entry = at.into_iter().find(|at| bytes[*at..at + 2] == tag.to_le_bytes()).unwrap();
        // The type of the value is a word of four bytes from here on.
        bytes[entry + 2..entry + 4].copy_from_slice(&4_u16.to_le_bytes());
        bytes[entry + 8..entry + 12].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// Eight good pictures beside the files of a test.
fn beside(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..8 {
        let picture = written(&DynamicImage::ImageLuma8(grey(6, 6, i + 9)), ImageFormat::Png);
        fs::write(dir.path().join(format!("m{i}.png")), picture).unwrap();
    }
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn dropped(dir: &Path, settings: &[(&str, &str)], reason: Reason) -> usize {
    let (table, _) = read(dir, settings).unwrap();
    assert_eq!(table.n_records(), 8, "{:?}", table.audit.tables[0].dropped);
    table.audit.tables[0].dropped.get(reason.name()).map_or(0, |n| *n as usize)
}

#[test]
fn headers_of_a_hundred_thousand_pixels_a_side_are_left_out_undecoded() {
    // A side is at most 65,535 in JPEG: the length, eight bits, height, width, and one channel.
    let jpeg = [&[0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0xff, 0xff, 0xff, 0xff, 1][..], &[1, 0x11, 0]].concat();
    let dir = beside(&[("a.tif", &tiff(&[(256, 100_000), (257, 100_000)])), ("b.jpg", &jpeg)]);
    let started = std::time::Instant::now();
    let (table, _) = read(dir.path(), &[("size", "6")]).unwrap();
    let dropped = &table.audit.tables[0].dropped;
    // Some decoders refuse such a header themselves.
    let n = [Reason::TooLarge, Reason::Unreadable].map(|r| dropped.get(r.name()).copied().unwrap_or(0));
    assert_eq!(n[0] + n[1], 2, "{dropped:?}");
    assert!(n[0] >= 1, "{dropped:?}");
    assert_eq!(table.n_records(), 8);
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn a_picture_that_breaks_off_among_good_ones_is_counted() {
    let whole = written(&DynamicImage::ImageLuma8(grey(6, 6, 3)), ImageFormat::Png);
    let mut wrong_sum = whole.clone();
    // Within the compressed pixels.
    let at = whole.len() - 20;
    wrong_sum[at] ^= 0x55;
    // The files stand in the middle of the folder by their names.
    let half = &whole[..whole.len() - 24];
    let dir = beside(&[("m3-half.png", half), ("m4-damaged.png", &wrong_sum), ("m5-empty.png", b"")]);
    assert_eq!(dropped(dir.path(), &[], Reason::Unreadable), 3);
}

#[test]
fn four_inks_in_a_tiff_and_sixteen_bits_are_counted_and_opaque_pictures_kept() {
    // Tag 262 says what the numbers mean; 5 is separated inks.
    let mut inks = Vec::new();
    let raw = [3; 4 * 36];
    TiffEncoder::new(Cursor::new(&mut inks)).write_image(&raw, 6, 6, ExtendedColorType::Rgba8).unwrap();
    let directory = u32::from_le_bytes(inks[4..8].try_into().unwrap()) as usize;
    let entry = (0..20).map(|i| directory + 2 + 12 * i).find(|at| inks[*at..at + 2] == 262_u16.to_le_bytes());
    inks[entry.unwrap() + 8] = 5;
    let dir = beside(&[("inks.tif", &inks)]);
    let (table, _) = read(dir.path(), &[]).unwrap();
    let dropped_inks = &table.audit.tables[0].dropped;
    assert_eq!(dropped_inks.get(Reason::Cmyk.name()), Some(&1), "{dropped_inks:?}");
    // Sixteen bits with a range are read, and without one counted.
    let deep = image::ImageBuffer::<Luma<u16>, _>::from_fn(6, 6, |x, y| Luma([(x * 700 + y * 90) as u16]));
    let deep = written(&DynamicImage::ImageLuma16(deep), ImageFormat::Png);
    let dir = beside(&[("deep.png", &deep)]);
    assert_eq!(dropped(dir.path(), &[], Reason::Depth), 1);
    let (table, _) = read(dir.path(), &[("range", "0,4095")]).unwrap();
    assert_eq!(table.n_records(), 9);
    // A layer of transparency that is opaque everywhere hides nothing.
    let opaque = RgbaImage::from_fn(6, 6, |x, y| image::Rgba([x as u8, x as u8, (x * 7 + y) as u8, 255]));
    let grey_opaque =
        RgbaImage::from_fn(6, 6, |x, _| image::Rgba([x as u8 * 9, x as u8 * 9, x as u8 * 9, 255]));
    let dir = beside(&[
        ("colours.png", &written(&DynamicImage::ImageRgba8(opaque), ImageFormat::Png)),
        ("grey.png", &written(&DynamicImage::ImageRgba8(grey_opaque), ImageFormat::Png)),
    ]);
    let (table, _) = read(dir.path(), &[("grey", "true")]).unwrap();
    assert_eq!(table.n_records(), 10);
}

#[test]
fn arrays_of_different_sizes_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.npz");
    let member = |n: usize, side: usize| {
        let bytes: Vec<u8> = (0..n * side * side).map(|i| (i * 13 % 251) as u8).collect();
        npy("'|u1'", &format!("({n}, {side}, {side})"), &bytes)
    };
    fs::write(&path, npz(&[("train_images.npy", member(9, 4)), ("test_images.npy", member(9, 5))])).unwrap();
    let said = error(read(&path, &[]));
    assert!(
        said.contains("4 × 4 × 1") && said.contains("5 × 5 × 1") && said.contains("test_images"),
        "{said}"
    );
}

#[test]
fn arrays_that_unfold_to_more_than_their_size_can_tell_apart_are_refused_before_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8], what: &str| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let said = error(read(&path, &[]));
        assert!(said.contains(name) && said.contains(what), "{said}");
    };
    let header = |lengths: [u32; 3]| [&[0, 0, 8, 3][..], &lengths.map(u32::to_be_bytes).concat()].concat();
    let packed = |bytes: &[u8]| {
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    // Two thousand million numbers in thirty bytes, and so many pictures of one pixel.
    let huge = [1, 1 << 15, 1 << 15];
    refused("huge-idx3-ubyte.gz", &packed(&header(huge)), "unfolds to 1073741824 numbers");
    refused("many-idx3-ubyte.gz", &packed(&header([9_000_000, 1, 1])), "9000000 entries");
    refused("plain-idx3-ubyte", &header(huge), "ends before its header says");
    // A member of an archive whose list of members, or whose own header, promises as much.
    let array = npy("'|u1'", "(1000000000,)", &[0; 64]);
    refused("labels.npz", &npz(&[("y.npy", array)]), "ends before its header says");
    let texts = npy("'<U16000'", "(100000,)", &[0; 64]);
    refused("texts.npz", &npz(&[("y.npy", texts)]), "ends before its header says");
    let long = npy("'<U20000'", "(9,)", &[0; 64]);
    refused("long.npz", &npz(&[("y.npy", long)]), "room for more than 16384 characters");
    let mut listed = npz(&[("x.npy", npy("'|u1'", "(1, 30000, 30000)", &[0; 64]))]);
    let list = listed.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    // Deflated, and as long as the list can say.
    listed[list + 10] = 8;
    listed[list + 24..list + 28].copy_from_slice(&u32::MAX.to_le_bytes());
    let first = listed.windows(4).position(|four| four == b"\x93NUM").unwrap();
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    deflated.write_all(&npy("'|u1'", "(1, 30000, 30000)", &[])).unwrap();
    let deflated = deflated.finish().unwrap();
    listed[first..first + deflated.len()].copy_from_slice(&deflated);
    refused("bomb.npz", &listed, "unfolds to 4294967295 numbers");
}
