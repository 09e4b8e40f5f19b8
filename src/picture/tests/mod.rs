//! Files of every kind that is read, and of every kind that is not.

mod folders;
mod hostile;
#[cfg(unix)]
mod links;

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, GrayImage, ImageFormat, Luma};

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
    let found = read_pictures(&pipeline, pipeline.grid.as_ref().unwrap(), input)?;
    Ok((found.table, found.grid))
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
    // Of a folder with the training half alone, all splits are made.
    let half = tempfile::tempdir().unwrap();
    fs::write(half.path().join("train-images-idx3-ubyte"), idx(90)).unwrap();
    fs::write(
        half.path().join("train-labels-idx1-ubyte"),
        [&[0, 0, 8, 1, 0, 0, 0, 90][..], &[1; 90]].concat(),
    )
    .unwrap();
    let (all, _) = read(half.path(), &[]).unwrap();
    let splits = all.splits.as_ref().unwrap();
    assert!(Split::ALL.iter().all(|split| splits.contains(split)), "{splits:?}");
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
