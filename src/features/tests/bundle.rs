//! Splits, leakage, and the folder.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::error::Hint;

#[test]
fn held_out_rows_leave_no_trace_in_what_is_fitted() {
    let t = table(800);
    let clean = Bundle::build(&t, None, &pipeline(TransformKind::NormalScore, true)).unwrap();
    let mut changed = t.clone();
    for i in (0..800).filter(|&i| clean.splits[i] != Split::Train) {
        for c in &mut changed.columns {
            match &mut c.cells {
                Cells::Number(x) => replace(x, i, if i % 2 == 0 { 1e30 } else { f64::NAN }),
                Cells::Text(x) => replace_text(x, i, "never seen"),
            }
        }
    }
    let dirty = Bundle::build(&changed, None, &pipeline(TransformKind::NormalScore, true)).unwrap();
    let text = |b: &Bundle| serde_json::to_string(&b.manifest.encoder).unwrap();
    assert_eq!(text(&clean), text(&dirty));
    let (a, b) = (clean.stored_draw(), dirty.stored_draw());
    for i in clean.rows(Split::Train) {
        assert_eq!(a.values.row(i), b.values.row(i));
        assert_eq!(a.log_det[i], b.log_det[i]);
    }
    assert!(b.values.iter().all(|v| v.is_finite() && v.abs() < 200.0));
    assert!(
        dirty
            .audit
            .messages
            .iter()
            .any(|w| w.text.contains("`unit_type`") && w.text.contains("level not met"))
    );
}

#[test]
fn more_patients_move_nobody() {
    let (few, many) = (bundle(600, TransformKind::Robust), bundle(1_000, TransformKind::Robust));
    assert_eq!(few.splits, many.splits[..600]);
    assert!((0..300).all(|s| few.splits[2 * s] == few.splits[2 * s + 1]));
}

/// Writes the bundle of [`bundle`].
fn write(n: usize) -> (Bundle, TempDir) {
    let (t, pipeline) = (table(n), pipeline(TransformKind::NormalScore, true));
    let dir = tempfile::tempdir().unwrap();
    Prepared::new(&t, None, &pipeline).unwrap().write(dir.path()).unwrap();
    (Bundle::build(&t, None, &pipeline).unwrap(), dir)
}

#[test]
fn a_bundle_read_back_is_the_one_in_memory() {
    let (b, dir) = write(700);
    let opened = Bundle::open(dir.path()).unwrap();
    assert_eq!(opened.manifest, b.manifest);
    assert_eq!((&opened.record_ids, &opened.splits, &opened.audit), (&b.record_ids, &b.splits, &b.audit));
    assert_eq!(opened.fingerprint(), b.fingerprint());
    assert!(opened.raw.iter().zip(&b.raw).all(|(a, b)| a.to_bits() == b.to_bits()));
    // What is written block by block is what is drawn at once.
    let bytes = fs::read(dir.path().join("tensor.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values = file.tensor("values").unwrap();
    let drawn = opened.stored_draw().values;
    assert_eq!(values.shape(), drawn.shape());
    let stored = values.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
    assert!(stored.zip(&drawn).all(|(a, b)| a.to_bits() == (*b as f32).to_bits()));
    // The description is that of the library's own writer.
    let names = ["record_id_offsets", "raw", "values", "observed", "record_id_bytes", "split"];
    let again = safetensors::serialize(names.map(|name| (name, file.tensor(name).unwrap())), None).unwrap();
    assert_eq!(bytes, again);
    assert_eq!(opened.raw_of(Split::Test).nrows(), b.manifest.splits.test);
    assert_ne!(bundle(698, TransformKind::NormalScore).fingerprint(), b.fingerprint());
}

fn edit(dir: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(dir.join(file)).unwrap();
    assert!(text.contains(from));
    fs::write(dir.join(file), text.replacen(from, to, 1)).unwrap();
}

#[test]
fn other_format_versions_say_what_to_do() {
    for (version, remedy) in [("3", "upgrade this one"), ("1", "run `cohort-flow ingest` again")] {
        let (_, dir) = write(300);
        // Fields may differ between versions: the number alone must decide.
        fs::write(dir.path().join("manifest.json"), format!("{{\"format_version\": {version}}}")).unwrap();
        let error = Bundle::open(dir.path()).unwrap_err();
        assert!(matches!(error, FeatureError::FormatVersion { .. }));
        assert!(error.hint().unwrap().contains(remedy));
    }
}

#[test]
fn damage_is_noticed() {
    let error = |change: &dyn Fn(&Path)| {
        let (_, dir) = write(300);
        change(dir.path());
        let error = Bundle::open(dir.path()).unwrap_err();
        assert!(error.hint().is_some());
        error.to_string()
    };
    let missing = error(&|d| fs::remove_file(d.join("tensor.safetensors")).unwrap());
    assert!(missing.ends_with("is not a bundle: it has no tensor.safetensors"), "{missing}");
    assert!(error(&|d| fs::remove_dir_all(d).unwrap()).starts_with("cannot read"));
    assert!(error(&|d| edit(d, "manifest.json", "{", "[")).contains("manifest.json cannot be read"));
    let cut = error(&|d| {
        let bytes = fs::read(d.join("tensor.safetensors")).unwrap();
        fs::write(d.join("tensor.safetensors"), &bytes[..bytes.len() - 40]).unwrap();
    });
    assert!(cut.contains("tensor.safetensors is damaged"), "{cut}");
    let shape = error(&|d| edit(d, "manifest.json", "\"n_records\": 300", "\"n_records\": 299"));
    assert!(shape.contains("has shape [300, ") && shape.contains("the manifest says [299, "), "{shape}");
    let flipped = error(&|d| {
        let mut bytes = fs::read(d.join("tensor.safetensors")).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(d.join("tensor.safetensors"), bytes).unwrap();
    });
    assert!(flipped.contains("is damaged"), "{flipped}");
    let nan = error(&|d| replace_tensor(d, "values", &f32::NAN.to_le_bytes()));
    assert!(nan.contains("`values` is not finite in record 1"), "{nan}");
    let gap = error(&|d| replace_tensor(d, "raw", &f64::NAN.to_le_bytes()));
    assert!(gap.contains("disagree on `temperature` in record 1"), "{gap}");
}

/// Overwrites the first bytes of a tensor.
fn replace_tensor(dir: &Path, name: &str, with: &[u8]) {
    let path = dir.join("tensor.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let (header, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let start = 8 + header + metadata.info(name).unwrap().data_offsets.0;
    bytes[start..start + with.len()].copy_from_slice(with);
    fs::write(path, bytes).unwrap();
}

#[test]
fn too_few_patients_name_the_empty_split() {
    let mut t = table(6);
    t.subjects = Subjects::Named([Some("one"); 6].into_iter().collect());
    let error = Bundle::build(&t, None, &pipeline(TransformKind::Robust, true)).unwrap_err();
    let FeatureError::EmptySplit { n_subjects: 1, n_records: 6, declared: false, .. } = error else {
        panic!("{error}")
    };
    assert!(error.hint().unwrap().contains("add subjects"));
    t.splits = Some(vec![Split::Train, Split::Train, Split::Train, Split::Train, Split::Train, Split::Test]);
    let error = Bundle::build(&t, None, &pipeline(TransformKind::Robust, true)).unwrap_err();
    assert_eq!(error.to_string(), "the validation split is empty: 6 records of 1 subject");
    t.splits =
        Some(vec![Split::Train, Split::Train, Split::Train, Split::Train, Split::Train, Split::Validation]);
    let b = Bundle::build(&t, None, &pipeline(TransformKind::NormalScore, true)).unwrap();
    for word in ["calibration split", "test split", "more than one of the declared splits"] {
        assert!(b.audit.messages.iter().any(|w| w.text.contains(word)), "{word}: {:?}", b.audit.messages);
    }
    t.record_ids = Names::default();
    t.splits = None;
    assert!(matches!(
        Bundle::build(&t, None, &pipeline(TransformKind::Robust, true)),
        Err(FeatureError::NoRecords)
    ));
}

#[test]
fn records_that_change_while_they_are_read_block_by_block_are_noticed() {
    let (_, dir) = write(300);
    let path = dir.path().join("tensor.safetensors");
    let mut stored = StoredRecords::open(dir.path()).unwrap();
    // Missing values are not equal to themselves.
    let shown = |stored: &mut StoredRecords| format!("{:?}", stored.block(0, 100).unwrap());
    let first = shown(&mut stored);
    // A new bundle that is moved into the place of the file is another file; this one is read to its end.
    let other = dir.path().join("other");
    fs::copy(&path, &other).unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(shown(&mut stored), first);
    let mut stored = StoredRecords::open(dir.path()).unwrap();
    assert_eq!(shown(&mut stored), first);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    bytes.push(0);
    fs::write(&path, bytes).unwrap();
    let error = stored.block(100, 200).unwrap_err();
    assert!(error.to_string().contains("changed or replaced while it was read"), "{error}");
    assert!(error.hint().unwrap().contains("nothing writes to the file"));
}
