use std::fs;

use super::*;
use crate::schema::{Split, apply_settings, load_pipeline};

/// A record of two channels, A rising by one every third sample and B wild, with gain and baseline of its
/// own.
fn write(dir: &Path, name: &str, n: usize, gain: f64, edit: impl Fn(usize, &mut [i16; 2])) {
    let frame = |i: usize| {
        let mut frame = [(i / 3) as i16, (i * 7919 % 101) as i16];
        edit(i, &mut frame);
        frame
    };
    let frames: Vec<[i16; 2]> = (0..n).map(frame).collect();
    let bytes: Vec<u8> = frames.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(dir.join(format!("{name}.dat")), bytes).unwrap();
    let field = |label: &str, c: usize| {
        let samples: Vec<i16> = frames.iter().map(|f| f[c]).collect();
        let sum = samples.iter().fold(0i16, |sum, x| sum.wrapping_add(*x));
        format!("{name}.dat 16 {gain}(3)/mV 16 0 {} {sum} 0 {label}", samples[0])
    };
    let text = format!("{name} 2 125 {n}\n{}\n{}\n", field("A", 0), field("b", 1));
    fs::write(dir.join(format!("{name}.hea")), text).unwrap();
}

fn read(input: &Path, settings: &[(&str, &str)]) -> Result<(RecordTable, Normalisation), WaveformError> {
    let mut pipeline = load_pipeline("waveform-1024").unwrap().0;
    let all = [&[("channels", "A,B"), ("window", "10")], settings].concat();
    let all: Vec<_> = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    apply_settings(&mut pipeline, &all).unwrap();
    let settings = pipeline.waveform.clone().unwrap();
    read_windows(&pipeline, &settings, input)
}

fn column(table: &RecordTable, i: usize) -> Vec<f64> {
    let Cells::Number(x) = &table.columns[i].cells else { panic!("a number") };
    x.to_vec()
}

#[test]
fn windows_are_time_major_and_on_the_lattice_of_the_converter() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "r", 105, 50.0, |_, _| {});
    let (table, _) = read(&dir.path().join("r"), &[("normalise", "none")]).unwrap();
    assert_eq!(table.n_records(), 10);
    assert_eq!(&table.record_ids[3], "r@30");
    let names: Vec<_> = table.columns.iter().take(3).map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["A[0000]", "B[0000]", "A[0001]"]);
    // Window 3, sample 4 of channel B: frame 34.
    let x = column(&table, 9)[3];
    assert!((x - (f64::from(34 * 7919 % 101) - 3.0) / 50.0).abs() < 1e-12, "{x}");
    assert!(table.columns.iter().all(|c| c.resolution == Some(0.02) && c.unit == "mV"));
    let expected =
        [vec![Split::Train; 6], vec![Split::Validation, Split::Calibration, Split::Test, Split::Test]]
            .concat();
    assert_eq!(table.splits.unwrap(), expected);
}

#[test]
fn normalisation_is_fitted_on_training_windows_of_the_record() {
    let dir = tempfile::tempdir().unwrap();
    // The last two windows, of the test split, are a hundred times as wide: nothing may come of it.
    write(dir.path(), "r", 100, 50.0, |i, f| f[1] = if i < 80 { f[1] } else { 100 * f[1] });
    let (table, scales) = read(&dir.path().join("r"), &[]).unwrap();
    let train: Vec<f64> = (0..60).map(|t| column(&table, 2 * (t % 10) + 1)[t / 10]).collect();
    let mean = train.iter().sum::<f64>() / 60.0;
    let sd = (train.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 60.0).sqrt();
    let delta = table.columns[1].resolution.unwrap();
    assert!(mean.abs() < delta && (sd - 1.0).abs() < 1e-9, "{mean} {sd}");
    assert!((scales.channels[1].resolution - 0.02 / scales.records[1].scale).abs() < 1e-12);
    // ADC steps are whole multiples of the resolution, to rounding.
    assert!(train.iter().all(|x| (x / delta - (x / delta).round()).abs() < 1e-9));
}

#[test]
fn windows_bring_the_samples_before_them() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "r", 105, 50.0, |_, _| {});
    let path = dir.path().join("r");
    let (alone, _) = read(&path, &[("normalise", "none")]).unwrap();
    let (table, _) = read(&path, &[("normalise", "none"), ("past", "7")]).unwrap();
    // Ten samples each from the seventh on.
    assert_eq!((table.n_records(), table.columns.len()), (9, 34));
    assert_eq!(&table.record_ids[1], "r@17");
    let names: Vec<_> = table.columns[11..16].iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["B[-0002]", "A[-0001]", "B[-0001]", "A[0000]", "B[0000]"]);
    // Frames 10 to 26; of the windows without pasts, the second holds 10 to 19.
    for j in 0..20 {
        assert_eq!(column(&table, j)[1], column(&alone, j)[1], "{j}");
    }
    // A past across a gap is none; a constant past is one.
    write(dir.path(), "gap", 105, 50.0, |i, f| match i {
        20 => f[0] = i16::MIN,
        50..57 => f[1] = 5,
        _ => {}
    });
    let (table, _) = read(&dir.path().join("gap"), &[("past", "7")]).unwrap();
    let starts: Vec<_> = table.record_ids.iter().collect();
    assert_eq!(starts, ["gap@7", "gap@37", "gap@47", "gap@57", "gap@67", "gap@77", "gap@87"]);
    assert!(matches!(read(&path, &[("past", "100")]), Err(WaveformError::NoWindows { window: 110, .. })));
}

#[test]
fn every_window_left_out_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "r", 104, 50.0, |i, f| match i {
        15 => f[0] = i16::MIN,
        20..30 => f[1] = 7,
        _ => {}
    });
    let (table, _) = read(&dir.path().join("r"), &[]).unwrap();
    let audit = &table.audit.tables[2];
    assert_eq!((audit.rows_read, audit.rows_kept), (10, 8));
    let dropped: Vec<_> = audit.dropped.iter().map(|(k, n)| (k.as_str(), *n)).collect();
    assert_eq!(dropped, [("constant channel", 1), ("missing samples", 1)]);
    assert_eq!(table.audit.cohort.last().unwrap().after, 8);
    let (some, _) = read(&dir.path().join("r"), &[("max_missing", "0.2")]).unwrap();
    assert_eq!(some.n_records(), 9);
    assert!(column(&some, 10)[1].is_nan());
    write(dir.path(), "l", 400, 50.0, |_, _| {});
    let (overlapping, _) = read(&dir.path().join("l"), &[("stride", "5")]).unwrap();
    assert!(overlapping.audit.tables[2].dropped["reaches into another split"] > 0);
    let splits = overlapping.splits.as_ref().unwrap();
    assert!(Split::ALL.iter().all(|s| splits.contains(s)), "{splits:?}");
    let start = |i: usize| overlapping.record_ids[i].strip_prefix("l@").unwrap().parse::<usize>().unwrap();
    for (i, j) in (0..splits.len()).flat_map(|j| (0..j).map(move |i| (i, j))) {
        assert!(splits[i] == splits[j] || start(i) + 10 <= start(j), "{i} {j}");
    }
}

#[test]
fn faulty_records_of_a_folder_are_counted_and_a_single_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c", "d", "e", "f"] {
        write(dir.path(), name, 60, 50.0, |_, _| {});
    }
    let edit = |name: &str, from: &str, to: &str| {
        let path = dir.path().join(format!("{name}.hea"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(&path, text.replace(from, to)).unwrap();
    };
    fs::write(dir.path().join("b.dat"), [0; 50]).unwrap();
    edit("c", " 16 50", " 99 50");
    edit("d", " b", " X");
    edit("e", " 125 ", " 250 ");
    fs::write(dir.path().join("f.hea"), "f/1 2 125 60\nf_1 60\n").unwrap();
    let (table, _) = read(dir.path(), &[]).unwrap();
    assert_eq!(table.n_records(), 6);
    let records = &table.audit.tables[0];
    assert_eq!((records.rows_read, records.rows_kept), (6, 2), "{records:?}");
    let dropped: Vec<_> = records.dropped.iter().map(|(k, n)| (k.as_str(), *n)).collect();
    assert_eq!(
        dropped,
        [
            ("another sampling rate", 1),
            ("segment missing", 1),
            ("signal file truncated", 1),
            ("unknown signal format", 1)
        ]
    );
    assert_eq!(table.audit.tables[2].dropped["a channel is not recorded"], 6);
    for (name, expected) in [
        ("b", "bytes are needed"),
        ("c", "signal format 99 is unknown"),
        ("d", "6 windows: a channel is not recorded"),
        ("f", "segment `f_1` is missing"),
        ("g", "no waveform record at"),
    ] {
        let error = read(&dir.path().join(name), &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn finer_recordings_are_rounded_and_coarse_windows_dropped() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a", 60, 50.0, |_, _| {});
    write(dir.path(), "b", 60, 60.0, |_, _| {});
    write(dir.path(), "c", 60, 5.0, |_, _| {});
    let (table, _) = read(dir.path(), &[("normalise", "none")]).unwrap();
    assert_eq!(table.audit.tables[2].dropped["coarse ADC step"], 6);
    assert_eq!(table.n_records(), 12);
    for i in 0..20 {
        assert_eq!(table.columns[i].resolution, Some(0.02));
        assert!(column(&table, i).iter().all(|x| (x / 0.02 - (x / 0.02).round()).abs() < 1e-9));
    }
}

/// The same samples as a WFDB record, as a table and as arrays: the same windows.
#[test]
fn tables_and_arrays_give_the_windows_of_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(dir.path(), "r", 100, 50.0, |i, f| {
        if i == 15 {
            f[0] = i16::MIN;
        }
    });
    let frequency = [("frequency", "125")];
    let (wfdb, scales) = read(&at("r"), &[]).unwrap();
    let sample = |i: usize| {
        let a = if i == 15 { f64::NAN } else { ((i / 3) as f64 - 3.0) / 50.0 };
        [a, ((i * 7919 % 101) as f64 - 3.0) / 50.0]
    };
    let text = |x: f64| if x.is_nan() { String::new() } else { x.to_string() };
    let rows =
        (0..100).map(|i| format!("{:.3},{},{}\n", i as f64 / 125.0, text(sample(i)[1]), text(sample(i)[0])));
    fs::write(at("t.csv"), format!("Time,B,a\n{}", rows.collect::<String>())).unwrap();
    let flat: Vec<f64> = (0..100).flat_map(sample).collect();
    let array = ndarray::Array2::from_shape_vec((100, 2), flat.clone()).unwrap();
    ndarray_npy::write_npy(at("two.npy"), &array).unwrap();
    let array = ndarray::Array3::from_shape_vec((10, 10, 2), flat).unwrap().mapv(|x| x as f32);
    ndarray_npy::write_npy(at("three.npy"), &array).unwrap();
    for name in ["t.csv", "two.npy", "three.npy"] {
        let (table, same) = read(&at(name), &frequency).unwrap();
        assert_eq!(table.audit.tables[2], wfdb.audit.tables[2], "{name}");
        assert_eq!(table.splits, wfdb.splits, "{name}");
        assert_eq!(&table.record_ids[1], format!("{}@20", name.split('.').next().unwrap()));
        assert!((same.channels[1].resolution - scales.channels[1].resolution).abs() < 1e-5, "{name}");
        for i in 0..20 {
            let pairs = column(&table, i).into_iter().zip(column(&wfdb, i));
            let worst = pairs.map(|(a, b)| (a - b).abs());
            assert!(worst.fold(0.0, f64::max) < 1e-5, "{name} {i}");
        }
        let missing = read(&at(name), &[]).unwrap_err();
        assert!(matches!(missing, WaveformError::NoFrequency(_)), "{missing}");
    }
    // Three windows of a table with a column that tells them apart; none reaches from one into the next.
    let rows = (0..36).map(|i| format!("w{},{},{}\n", i / 12, i % 7, i * 5 % 11));
    fs::write(at("w.csv"), format!("window,A,B\n{}", rows.collect::<String>())).unwrap();
    let (table, _) = read(&at("w.csv"), &frequency).unwrap();
    assert_eq!(table.record_ids, ["w@0", "w@12", "w@24"]);
    assert_eq!(table.columns[0].resolution.map(|r| r > 0.0), Some(true));
    // Times that jump end a stretch; those of another rate are an error; dates are left alone, with a
    // warning.
    let timed = |time: &dyn Fn(usize) -> String| {
        let rows: Vec<String> = (0..36).map(|i| format!("{},{},{}", time(i), i % 7, i * 5 % 11)).collect();
        fs::write(at("timed.csv"), format!("time,A,B\n{}\n", rows.join("\n"))).unwrap();
        read(&at("timed.csv"), &frequency)
    };
    let seconds = |i: usize| format!("{:.3}", (i + if i < 15 { 0 } else { 40 }) as f64 / 125.0);
    assert_eq!(timed(&seconds).unwrap().0.record_ids, ["timed@0", "timed@15", "timed@25"]);
    let error = timed(&|i| i.to_string()).unwrap_err();
    assert!(error.to_string().contains("come 1.0000 times a second, the pipeline says 125"), "{error}");
    let table = timed(&|i| format!("2101-01-01 00:00:{i:02}")).unwrap().0;
    assert_eq!(table.n_records(), 3);
    assert!(
        table.audit.messages.iter().any(|w| w.text.contains("does not hold seconds")),
        "{:?}",
        table.audit.messages
    );
}

#[test]
fn what_is_wrong_with_a_table_or_array_is_said_or_counted() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let frequency = [("frequency", "125")];
    let said = |name: &str| read(&at(name), &frequency).unwrap_err().to_string();
    fs::write(at("text.csv"), "A,B\n1,2\n1,x\n").unwrap();
    assert!(said("text.csv").contains("row 2"), "{}", said("text.csv"));
    fs::write(at("absent.csv"), format!("A\n{}", "1\n2\n".repeat(20))).unwrap();
    assert!(said("absent.csv").contains("4 windows: a channel is not recorded"), "{}", said("absent.csv"));
    ndarray_npy::write_npy(at("three.npy"), &ndarray::Array2::<f64>::zeros((40, 3))).unwrap();
    assert!(said("three.npy").contains("3 channels in shape [40, 3], the pipeline names 2"));
    ndarray_npy::write_npy(at("bool.npy"), &ndarray::Array2::from_elem((40, 2), true)).unwrap();
    assert!(said("bool.npy").contains("none of float64"), "{}", said("bool.npy"));
    ndarray_npy::write_npy(at("four.npy"), &ndarray::Array4::<f32>::zeros((1, 1, 40, 2))).unwrap();
    assert!(said("four.npy").contains("allowed are (samples,)"), "{}", said("four.npy"));
    let whole = fs::read(at("three.npy")).unwrap();
    fs::write(at("short.npy"), &whole[..whole.len() - 9]).unwrap();
    assert!(said("short.npy").contains("ends before its header says"), "{}", said("short.npy"));
    // A header that promises 10⁹ channels is no reason to make room for them.
    let mut promise = whole[..whole.len() - 9].to_vec();
    let shape = promise.windows(7).position(|bytes| bytes == b"(40, 3)").unwrap();
    promise[shape..shape + 19].copy_from_slice(b"(40, 1000000000), }");
    fs::write(at("promise.npy"), &promise).unwrap();
    assert!(said("promise.npy").contains("ends before its header says"), "{}", said("promise.npy"));
    fs::write(at("none.npy"), "no array").unwrap();
    assert!(said("none.npy").contains("none.npy"), "{}", said("none.npy"));
    // In a folder they are counted, and what is sound is kept.
    let sound: ndarray::Array2<i16> =
        ndarray::Array2::from_shape_fn((100, 2), |(i, c)| (i * (7 + c) % 13) as i16);
    ndarray_npy::write_npy(at("sound.npy"), &sound).unwrap();
    let (table, scales) = read(dir.path(), &frequency).unwrap();
    let records = &table.audit.tables[0];
    assert_eq!((records.rows_read, records.rows_kept, records.dropped.values().sum::<u64>()), (9, 2, 7));
    assert_eq!(table.n_records(), 10);
    assert!((scales.channels[0].resolution * scales.records[2].scale - 1.0).abs() < 1e-12);
}
