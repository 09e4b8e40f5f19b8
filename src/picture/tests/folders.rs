//! Folders and sheets of pictures.

use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::codecs::tiff::TiffEncoder;
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, ImageFormat, Luma, Rgb, RgbImage};

use super::*;

/// A folder with pictures of every kind, twelve of which are good.
fn folder(dir: &Path) {
    for (i, label) in (0..12).map(|i| (i, if i % 2 == 0 { "sick" } else { "well" })) {
        let of = dir.join(label);
        fs::create_dir_all(&of).unwrap();
        let picture = DynamicImage::ImageLuma8(grey(10, 8, i));
        let (format, end) = match i % 3 {
            0 => (ImageFormat::Png, "png"),
            1 => (ImageFormat::Tiff, "tif"),
            _ => (ImageFormat::Jpeg, "jpg"),
        };
        fs::write(of.join(format!("{i}.{end}")), written(&picture, format)).unwrap();
    }
    let put = |name: &str, bytes: &[u8]| fs::write(dir.join("well").join(name), bytes).unwrap();
    put("broken.png", b"\x89PNG\r\n\x1a\nnothing more");
    put("cut.jpg", &written(&DynamicImage::ImageLuma8(grey(10, 8, 1)), ImageFormat::Jpeg)[..80]);
    put("larger.png", &written(&DynamicImage::ImageLuma8(grey(20, 16, 1)), ImageFormat::Png));
    put("black.png", &written(&DynamicImage::ImageLuma8(GrayImage::new(10, 8)), ImageFormat::Png));
    let colours = RgbImage::from_fn(10, 8, |x, y| Rgb([x as u8, y as u8, 9]));
    put("colour.png", &written(&DynamicImage::ImageRgb8(colours), ImageFormat::Png));
    let deep = image::ImageBuffer::<Luma<u16>, _>::from_fn(10, 8, |x, y| Luma([(x * 999 + y) as u16]));
    put("deep.png", &written(&DynamicImage::ImageLuma16(deep), ImageFormat::Png));
    let clear = image::RgbaImage::from_fn(10, 8, |x, _| image::Rgba([5, 5, 5, x as u8]));
    put("clear.png", &written(&DynamicImage::ImageRgba8(clear), ImageFormat::Png));
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM");
    put("scan.dcm", &dicom);
    put("notes.doc", b"notes");
}

#[test]
fn a_folder_is_read_and_what_cannot_be_used_is_counted_by_reason() {
    let dir = tempfile::tempdir().unwrap();
    folder(dir.path());
    let (table, grid) = read(dir.path(), &[]).unwrap();
    assert_eq!((grid.height, grid.width, grid.channels, table.n_records()), (8, 10, 1, 12));
    assert_eq!(&table.record_ids[0], "sick/0.png");
    let expected: Vec<f64> = grey(10, 8, 0).into_raw().into_iter().map(f64::from).collect();
    assert_eq!(values(&table, 0), expected);
    assert_eq!(labels(&table).iter().filter(|label| *label == "well").count(), 6);
    let account = &table.audit.tables[0];
    assert_eq!((account.rows_read, account.rows_kept), (20, 12));
    for (reason, n) in [
        (Reason::Unreadable, 2),
        (Reason::Size, 1),
        (Reason::Flat, 1),
        (Reason::Channels, 1),
        (Reason::Depth, 1),
        (Reason::Transparent, 1),
        (Reason::Dicom, 1),
    ] {
        assert_eq!(account.dropped.get(reason.name()), Some(&n), "{}: {account:?}", reason.name());
    }
    let steps = &table.audit.cohort;
    assert_eq!((steps[0].before, steps[steps.len() - 1].after), (20, 12));
    assert!(said(&table).contains("not read; convert them to PNG"), "{}", said(&table));
    assert!(said(&table).contains("1 file of the folder is not looked at"), "{}", said(&table));
    // No name of a picture, which may be that of a patient, stands in the audit.
    assert!(!said(&table).contains(".png") && !said(&table).contains(".dcm"), "{}", said(&table));
    // Brought to one size and one channel, the larger and the coloured one are kept as well.
    let (small, grid) = read(dir.path(), &[("size", "4x5"), ("grey", "true")]).unwrap();
    assert_eq!((grid.height, grid.width, small.n_records()), (4, 5, 14));
    assert!(error(read(dir.path(), &[("crop", "true")])).contains("no size is set"));
}

#[test]
fn a_small_file_cannot_ask_for_much_memory() {
    let dir = tempfile::tempdir().unwrap();
    // A PNG whose header says 100,000 × 100,000.
    let mut png = written(&DynamicImage::ImageLuma8(grey(4, 4, 1)), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let crc = flate2_crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    fs::write(dir.path().join("bomb.png"), png).unwrap();
    let said = error(read(dir.path(), &[("size", "8")]));
    assert!(said.contains("more pixels than are allowed"), "{said}");
}

fn flate2_crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn several_pages_four_inks_and_animations_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    // A TIFF whose directory names a second one.
    let mut tiff = Vec::new();
    let raw = grey(6, 6, 2).into_raw();
    TiffEncoder::new(Cursor::new(&mut tiff)).write_image(&raw, 6, 6, ExtendedColorType::L8).unwrap();
    let first = u32::from_le_bytes(tiff[4..8].try_into().unwrap()) as usize;
    let entries = usize::from(u16::from_le_bytes(tiff[first..first + 2].try_into().unwrap()));
    let next = first + 2 + 12 * entries;
    let mut two = tiff.clone();
    two[next..next + 4].copy_from_slice(&8_u32.to_le_bytes());
    fs::write(dir.path().join("two.tif"), two).unwrap();
    // A JPEG whose frame has four channels.
    let jpeg = [&[0xff, 0xd8, 0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4], &[0; 12][..]].concat();
    fs::write(dir.path().join("inks.jpg"), jpeg).unwrap();
    // A PNG with the chunk of an animation before its data.
    let png = written(&DynamicImage::ImageLuma8(grey(6, 6, 3)), ImageFormat::Png);
    let chunk = [b"acTL".as_slice(), &[0, 0, 0, 2, 0, 0, 0, 0]].concat();
    let chunk = [&[0, 0, 0, 8][..], &chunk, &flate2_crc(&chunk).to_be_bytes()].concat();
    fs::write(dir.path().join("moving.png"), [&png[..33], &chunk, &png[33..]].concat()).unwrap();
    for i in 0..8 {
        let picture = written(&DynamicImage::ImageLuma8(grey(6, 6, i + 9)), ImageFormat::Png);
        fs::write(dir.path().join(format!("{i}.png")), picture).unwrap();
    }
    fs::write(dir.path().join("one.tif"), tiff).unwrap();
    let (table, _) = read(dir.path(), &[]).unwrap();
    let dropped = &table.audit.tables[0].dropped;
    assert_eq!(dropped.get(Reason::Frames.name()), Some(&2), "{dropped:?}");
    assert_eq!(dropped.get(Reason::Cmyk.name()), Some(&1), "{dropped:?}");
    assert_eq!(table.n_records(), 9);
}

#[test]
fn a_csv_names_patients_and_their_pictures_stay_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut csv = "file,patient,label\n".to_owned();
    for i in 0..30 {
        let picture = written(&DynamicImage::ImageLuma8(grey(6, 6, i)), ImageFormat::Png);
        fs::write(dir.path().join(format!("{i}.png")), picture).unwrap();
        if i < 28 {
            writeln!(csv, "{i}.png,patient{},{}", i / 2, i % 3).unwrap();
        }
    }
    fs::write(dir.path().join("labels.csv"), csv + "gone.png,p,1\n").unwrap();
    let (table, _) = read(dir.path(), &[]).unwrap();
    assert_eq!(table.n_records(), 28);
    let mut split_of_patient = std::collections::HashMap::new();
    let splits = crate::features::assign_splits(&table, &pipeline(&[])).unwrap().0;
    for (i, split) in splits.iter().enumerate() {
        assert_eq!(split_of_patient.entry(table.subject(i)).or_insert(*split), split);
    }
    assert!(
        said(&table).contains("2 pictures are left out, each of which is not in the CSV"),
        "{}",
        said(&table)
    );
    assert!(said(&table).contains("1 file is listed in `labels.csv` and not in the folder"));
    fs::write(dir.path().join("labels.csv"), "name,label\n1.png,3\n").unwrap();
    assert!(error(read(dir.path(), &[])).contains("no column `file`"));
    fs::write(dir.path().join("labels.csv"), "file,split\n1.png,trainn\n").unwrap();
    assert!(error(read(dir.path(), &[])).contains("has the split `trainn`"));
}

#[test]
fn copies_are_kept_together_or_said_to_be_apart() {
    let dir = tempfile::tempdir().unwrap();
    let smooth = |seed: u32| {
        GrayImage::from_fn(24, 24, |x, y| {
            let at = f64::from(x * (seed + 1) + y * 3) * 0.11 + f64::from(seed);
            Luma([(127.0 + 100.0 * at.sin()) as u8])
        })
    };
    for i in 0..20 {
        let picture = DynamicImage::ImageLuma8(smooth(i));
        fs::write(dir.path().join(format!("{i}.png")), written(&picture, ImageFormat::Png)).unwrap();
        if i < 4 {
            fs::write(dir.path().join(format!("{i}-again.jpg")), written(&picture, ImageFormat::Jpeg))
                .unwrap();
        }
    }
    let copy = written(&DynamicImage::ImageLuma8(smooth(7)), ImageFormat::Png);
    fs::write(dir.path().join("7-copy.png"), copy).unwrap();
    let (table, _) = read(dir.path(), &[]).unwrap();
    assert!(said(&table).contains("5 pictures are copies"), "{}", said(&table));
    assert!(said(&table).contains("1 exact, 4 nearly so"), "{}", said(&table));
    let at = |name: &str| table.record_ids.iter().position(|id| id == name).unwrap();
    assert_eq!(table.subject(at("3.png")), table.subject(at("3-again.jpg")));
    assert_ne!(table.subject(at("3.png")), table.subject(at("4.png")));
    // Declared splits part them, which is said as a leak.
    let other = tempfile::tempdir().unwrap();
    for split in ["train", "validation", "calibration", "test"] {
        fs::create_dir(other.path().join(split)).unwrap();
        for i in 0..2 {
            let picture = DynamicImage::ImageLuma8(smooth(i));
            let path = other.path().join(split).join(format!("{i}.png"));
            fs::write(path, written(&picture, ImageFormat::Png)).unwrap();
        }
    }
    let (table, _) = read(other.path(), &[]).unwrap();
    assert!(said(&table).contains("6 of them are in another split"), "{}", said(&table));
}

#[test]
fn sheets_are_cut_as_declared() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sheet.png");
    // Twelve pictures of 2 × 3 as rows of six pixels.
    let sheet = grey(6, 12, 5);
    fs::write(&path, written(&DynamicImage::ImageLuma8(sheet.clone()), ImageFormat::Png)).unwrap();
    let (rows, grid) = read(&path, &[("row", "2x3")]).unwrap();
    assert_eq!((rows.n_records(), grid.height, grid.width), (12, 2, 3));
    let first: Vec<f64> = sheet.as_raw()[..6].iter().map(|x| f64::from(*x)).collect();
    assert_eq!(values(&rows, 0), first);
    let (tiles, _) = read(&path, &[("tile", "2x3")]).unwrap();
    assert_eq!(tiles.n_records(), 12);
    let of_tile: Vec<f64> =
        [3, 4, 5, 9, 10, 11].iter().map(|i| f64::from(sheet.as_raw()[*i as usize])).collect();
    assert_eq!(values(&tiles, 1), of_tile);
    assert!(error(read(&path, &[("tile", "5x6")])).contains("no whole number of tiles"));
    assert!(error(read(&path, &[])).contains("--set tile=32x32"));
}
