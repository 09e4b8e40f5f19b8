use std::fs;

use super::*;

fn record(dir: &Path, header: &str, bytes: &[u8]) -> Result<Vec<Signal>, WaveformError> {
    fs::write(dir.join("r.hea"), header).unwrap();
    fs::write(dir.join("r.dat"), bytes).unwrap();
    read_signals(&Header::read(&dir.join("r.hea"))?)
}

fn int16(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn interleaved_signals_of_unequal_rates_are_taken_apart() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = int16(&[1, 2, 30, 3, 4, -32768]);
    let signals =
        record(dir.path(), "r 2 10 2\nr.dat 16x2 2(1)/mV 16 0 1 10 0 A\nr.dat 16 1 16 0 30", &bytes).unwrap();
    assert_eq!(signals[0].samples, [1, 2, 3, 4]);
    assert_eq!(signals[1].samples, [30, Signal::MISSING]);
    assert_eq!((signals[0].frequency, signals[1].frequency), (20.0, 10.0));
    assert_eq!(signals[0].physical(4), 1.5);
    assert!(signals[1].physical(Signal::MISSING).is_nan());
}

#[test]
fn offset_skew_and_missing_length_are_honoured() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = [vec![9, 9], int16(&[1, 10, 2, 20, 3, 30])].concat();
    let signals = record(dir.path(), "r 2 10\nr.dat 16+2\nr.dat 16:1+2", &bytes).unwrap();
    assert_eq!(signals[0].samples, [1, 2, 3]);
    assert_eq!(signals[1].samples, [20, 30, Signal::MISSING]);
}

#[test]
fn first_differences_are_summed_from_the_initial_value() {
    let dir = tempfile::tempdir().unwrap();
    let signals = record(dir.path(), "r 1 10 4\nr.dat 8 1 12 0 100 406", &[0, 1, 0xff, 5]).unwrap();
    assert_eq!(signals[0].samples, [100, 101, 100, 105]);
}

#[test]
fn long_files_are_decoded_block_by_block() {
    let dir = tempfile::tempdir().unwrap();
    let n = 3 * BLOCK + 17;
    let samples: Vec<i16> = (0..n).map(|i| (i * 7919 % 4095) as i16 - 2047).collect();
    let mut bytes = Vec::new();
    for pair in samples.chunks(2) {
        let [a, b] = [pair[0] as u16, pair.get(1).copied().unwrap_or(0) as u16];
        bytes.extend([a as u8, (a >> 8 & 0xf) as u8 | (b >> 8 << 4) as u8, b as u8]);
    }
    let signals = record(dir.path(), &format!("r 1 10 {n}\nr.dat 212"), &bytes).unwrap();
    assert!(signals[0].samples.iter().zip(&samples).all(|(a, b)| *a == i32::from(*b)));
    assert_eq!(signals[0].samples.len(), n);
}

#[test]
fn files_that_are_not_what_the_header_says_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = int16(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (header, expected) in [
        ("r 1 10 12\nr.dat 16", "24 bytes are needed for the 12 samples per signal of the header, found 20"),
        ("r 1 10 99999999999999\nr.dat 16", "bytes are needed"),
        ("r 1 10 4\nr.dat 16", "the header says samples 4, the signal file 10"),
        ("r 1 10 10\nr.dat 16 1 16 0 1 54", "the header says checksum 54, the signal file 55"),
        ("r 1 10 10\nr.dat 16 1 16 0 2 55", "the header says first sample 2, the signal file 1"),
        ("r 1 10 10\nx.dat 16", "cannot open"),
        ("r 1 10 10\nr.dat 516", "not a readable FLAC stream"),
    ] {
        let error = record(dir.path(), header, &bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{header}: {error}");
    }
    assert!(record(dir.path(), "r 1 10 10\nr.dat 16 1 16 0 1 55", &bytes).is_ok());
    // A first sample that is missing contradicts no header.
    let signals =
        record(dir.path(), "r 1 10 3\nr.dat 16 1 16 0 0 -32763", &int16(&[i16::MIN, 2, 3])).unwrap();
    assert_eq!(signals[0].samples, [Signal::MISSING, 2, 3]);
}
