//! Files of every kind that is read, and of every kind that is not.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::codecs::tiff::TiffEncoder;
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, ImageFormat, Luma, Rgb, RgbImage};

use super::*;
use crate::error::Hint;
use crate::ingest::{Cells, RecordTable};
use crate::schema::{Grid, Pipeline, Split, apply_settings, load_pipeline};

fn pipeline(settings: &[(&str, &str)]) -> Pipeline {
    let mut pipeline = load_pipeline("images").unwrap().0;
    let settings: Vec<_> = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    apply_settings(&mut pipeline, &settings).unwrap();
    pipeline
}

fn read(input: &Path, settings: &[(&str, &str)]) -> Result<(RecordTable, Grid), PictureError> {
    let pipeline = pipeline(settings);
    read_pictures(&pipeline, pipeline.grid.as_ref().unwrap(), input)
}

fn values(table: &RecordTable, record: usize) -> Vec<f64> {
    let of = |cells: &Cells| match cells {
        Cells::Number(numbers) => numbers.get(record),
        Cells::Text(_) => f64::NAN,
    };
    table.columns.iter().map(|column| of(&column.cells)).collect()
}

fn labels(table: &RecordTable) -> Vec<String> {
    match table.labels.first().map(|column| &column.cells) {
        Some(Cells::Text(texts)) => texts.iter().map(|t| t.unwrap_or("").to_owned()).collect(),
        _ => Vec::new(),
    }
}

fn said(table: &RecordTable) -> String {
    table.audit.messages.texts().join("\n")
}

/// An IDX file of `n` pictures of 2 × 3 numbers that count up.
fn idx(n: u32) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    [n, 2, 3].iter().for_each(|length| bytes.extend(length.to_be_bytes()));
    bytes.extend((0..n * 6).map(|i| (i * 7 % 256) as u8));
    bytes
}

fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

/// A zip file of stored members.
fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut bytes, mut list) = (Vec::new(), Vec::new());
    for (name, data) in members {
        let at = bytes.len() as u32;
        let size = (data.len() as u32).to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend([size, size].concat());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(data);
        list.extend(b"PK\x01\x02\x14\x00");
        list.extend(&common);
        list.extend([0; 10]);
        list.extend(at.to_le_bytes());
        list.extend(name.as_bytes());
    }
    let (n, at, size) = (members.len() as u16, bytes.len() as u32, list.len() as u32);
    bytes.extend(list);
    bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
    bytes.extend([n.to_le_bytes(), n.to_le_bytes()].concat());
    bytes.extend([size.to_le_bytes(), at.to_le_bytes()].concat());
    bytes.extend([0, 0]);
    bytes
}

fn grey(width: u32, height: u32, seed: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([((x * 31 + y * 57 + seed * 83) * (seed + 3) % 251) as u8]))
}

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn error(result: Result<(RecordTable, Grid), PictureError>) -> String {
    let error = result.unwrap_err();
    format!("{error} ({})", error.hint().unwrap_or_default())
}

#[test]
fn idx_files_are_read_plain_and_compressed_with_the_labels_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("train-images-idx3-ubyte");
    fs::write(&plain, idx(20)).unwrap();
    let mut labels_file = vec![0, 0, 8, 1, 0, 0, 0, 20];
    labels_file.extend((0..20).map(|i| i % 3));
    fs::write(dir.path().join("train-labels-idx1-ubyte"), labels_file).unwrap();
    let (table, grid) = read(&plain, &[]).unwrap();
    assert_eq!((grid.height, grid.width, grid.channels, table.n_records()), (2, 3, 1, 20));
    assert_eq!(values(&table, 1), [42.0, 49.0, 56.0, 63.0, 70.0, 77.0]);
    assert_eq!(labels(&table)[..4], ["0", "1", "2", "0"]);
    assert_eq!(table.columns[5].name, "p[01,02]");
    let packed = dir.path().join("other-images-idx3-ubyte.gz");
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&idx(20)).unwrap();
    fs::write(&packed, gz.finish().unwrap()).unwrap();
    let (same, _) = read(&packed, &[]).unwrap();
    assert_eq!(values(&same, 7), values(&table, 7));
    // Five bits.
    let (coarse, _) = read(&packed, &[("levels", "32")]).unwrap();
    assert_eq!(values(&coarse, 1), [5.0, 6.0, 7.0, 7.0, 8.0, 9.0]);
}

#[test]
fn damaged_idx_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a-ubyte");
    let try_with = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        error(read(&path, &[]))
    };
    assert!(try_with(&idx(20)[..60]).contains("ends before its header says"));
    assert!(try_with(&[idx(20), vec![0]].concat()).contains("more follows the 20 pictures"));
    assert!(try_with(b"not an idx file").contains("no IDX file"));
    let mut floats = idx(2);
    floats[2] = 13;
    assert!(try_with(&floats).contains("type 0d"));
    let mut many = idx(2);
    many[4..8].copy_from_slice(&[0xff; 4]);
    many[8..12].copy_from_slice(&[0xff; 4]);
    assert!(try_with(&many).contains("its header promises"));
}

#[test]
fn arrays_bring_splits_and_labels() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.npz");
    let pictures = |n: usize, from: u32| -> Vec<u8> {
        (0..n * 4).map(|i| ((i as u32 + from) * (i as u32 + from + 5) * 13 % 251) as u8).collect()
    };
    let member = |n: usize, from| npy("'|u1'", &format!("({n}, 2, 2)"), &pictures(n, from));
    let of_labels = |n: u8| {
        let bytes: Vec<u8> = (0..n).map(|i| i % 2).collect();
        npy("'|u1'", &format!("({n}, 1)"), &bytes)
    };
    let members = [
        ("train_images.npy", member(40, 0)),
        ("train_labels.npy", of_labels(40)),
        ("val_images.npy", member(30, 900)),
        ("val_labels.npy", of_labels(30)),
        ("test_images.npy", member(10, 2000)),
        ("test_labels.npy", of_labels(10)),
        ("notes.npy", npy("'<f8'", "(3,)", &[0; 24])),
    ];
    fs::write(&path, npz(&members)).unwrap();
    let (table, _) = read(&path, &[]).unwrap();
    let count =
        |table: &RecordTable, split| table.splits.as_ref().unwrap().iter().filter(|s| **s == split).count();
    assert_eq!((count(&table, Split::Train), count(&table, Split::Test)), (40, 10));
    // No calibration split is declared: it comes out of the validation pictures.
    let (validation, calibration) = (count(&table, Split::Validation), count(&table, Split::Calibration));
    assert!(
        validation + calibration == 30 && validation > 3 && calibration > 3,
        "{validation} {calibration}"
    );
    assert!(said(&table).contains("declare no calibration split"), "{}", said(&table));
    assert!(said(&table).contains("`notes` not used"), "{}", said(&table));
    // A model of normals sees no other label before the test.
    let (normals, _) = read(&path, &[("normal", "0")]).unwrap();
    let of_test = normals.splits.as_ref().unwrap().iter().map(|s| *s == Split::Test);
    assert!(labels(&normals).iter().zip(of_test).all(|(label, test)| test || label == "0"));
    assert_eq!((count(&normals, Split::Train), count(&normals, Split::Test)), (20, 10));
    assert!(error(read(&path, &[("normal", "sick")])).contains("labels are 0, 1"));
}

#[test]
fn arrays_of_more_than_eight_bits_need_a_range_and_objects_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npy");
    let words: Vec<u8> = (0..12_u16).flat_map(|i| (i * 300).to_le_bytes()).collect();
    fs::write(&path, npy("'<u2'", "(3, 2, 2)", &words)).unwrap();
    assert!(error(read(&path, &[])).contains("--set range="));
    let (table, _) = read(&path, &[("range", "0,4095")]).unwrap();
    assert_eq!(values(&table, 1)[..3], [75.0, 93.0, 112.0]);
    // Numbers beyond the range: those pictures are left out.
    let (table, _) = read(&path, &[("range", "0,2400")]).unwrap();
    assert_eq!(table.n_records(), 2);
    assert!(said(&table).contains("outside the declared range"), "{}", said(&table));
    fs::write(&path, npy("'|O'", "(3, 2, 2)", &[0; 96])).unwrap();
    assert!(error(read(&path, &[])).contains("Python objects"));
    let in_zip = dir.path().join("b.npz");
    fs::write(&in_zip, npz(&[("images.npy", npy("'|O'", "(3, 2, 2)", &[0; 96]))])).unwrap();
    assert!(error(read(&in_zip, &[])).contains("`images`: it holds Python objects"));
    fs::write(&path, npy("'|u1'", "(2, 3, 8, 8)", &[1; 384])).unwrap();
    assert!(error(read(&path, &[])).contains("channels"));
    fs::write(&path, npy("'|u1'", "(100000, 100000, 100000)", b"")).unwrap();
    assert!(error(read(&path, &[])).contains("its header promises"));
    fs::write(&path, npy("'|u1'", "(9, 8, 8)", &[1; 64])).unwrap();
    assert!(error(read(&path, &[])).contains("ends before its header says"));
}

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
    assert!(said(&table).contains("`well/scan.dcm`; convert them to PNG"), "{}", said(&table));
    assert!(said(&table).contains("1 file of the folder are no pictures") || said(&table).contains("1 file"));
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
    // A TIFF of as many pixels, without them.
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
            csv += &format!("{i}.png,patient{},{}\n", i / 2, i % 3);
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
    assert!(said(&table).contains("1 file is of `labels.csv`") || said(&table).contains("not in the folder"));
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
