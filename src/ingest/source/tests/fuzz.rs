//! A mutation loop (`tests/bench/fuzz_reader.sh`): whatever bytes a file holds, reading it ends, does not
//! panic, and gives no cell that differs from what the csv crate reads in the same text.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::RngExt;

use super::*;
use crate::random::Seed;

/// Pieces that matter to a reader of delimited text.
const TOKENS: [&[u8]; 18] = [
    b"\"",
    b"\"\"",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"\xe9",
    b"\x81",
    b"sep=;\n",
    b" ",
    b"\n\n",
    b"\x1f\x8b",
];

/// Small files of every kind, by name and content.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let text =
        "id,name,x\n1,\"Müller, A\",3.5\n2,\"two\nlines\",\n\n3,5\" tube,\"say \"\"hi\"\"\"\n4,NA,-1e5\n";
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes);
    let mut corpus = vec![
        ("t.csv".to_owned(), text.as_bytes().to_vec()),
        ("t.csv".to_owned(), text.replace('\n', "\r\n").into_bytes()),
        ("t.csv".to_owned(), text.replace('\n', "\r").into_bytes()),
        ("t.tsv".to_owned(), text.replace(',', "\t").into_bytes()),
        ("t.csv".to_owned(), format!("sep=;\n{}", text.replace(',', ";")).into_bytes()),
        ("t.csv".to_owned(), [0xff, 0xfe].into_iter().chain(utf16).collect()),
        ("t.csv".to_owned(), text.chars().map(|c| c as u8).collect()),
        ("t.csv".to_owned(), b"alone\n1\n\n2\n".to_vec()),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/writers");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if SourceFile::new(&path).is_some() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            corpus.push((name, std::fs::read(&path).unwrap()));
        }
    }
    corpus.sort();
    corpus
}

fn mutate(bytes: &mut Vec<u8>, rng: &mut impl rand::Rng) {
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..=bytes.len());
        let end = (at + rng.random_range(0..20)).min(bytes.len());
        match rng.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = rng.random(),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            4 if rng.random_range(0..4) == 0 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, TOKENS[rng.random_range(0..TOKENS.len())].iter().copied())),
        }
    }
}

/// What the csv crate reads in a text in UTF-8: the header and the rows, where all rows are as long as the
/// header.
fn by_the_csv_crate(file: &SourceFile, bytes: &[u8]) -> Option<Vec<Vec<String>>> {
    let dialect = file.open_text().ok()?.dialect;
    let mut text = std::str::from_utf8(bytes).ok()?;
    text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if dialect.lines_before == 1 {
        let end = text.find(['\r', '\n'])?;
        text = &text[end + if text[end..].starts_with("\r\n") { 2 } else { 1 }..];
    }
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.delimiter(dialect.separator).has_headers(false).from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.map(|row| row.iter().map(ToOwned::to_owned).collect()));
    rows.collect::<Result<_, _>>().ok()
}

/// Reads a file and compares; how many rows were compared.
fn check(path: &Path, bytes: &[u8]) -> usize {
    let file = SourceFile::new(path).unwrap();
    let is_text = file.format == crate::ingest::files::Format::Csv && !bytes.starts_with(&[0x1f, 0x8b]);
    let Ok(read) = read(path) else { return 0 };
    if !is_text || std::str::from_utf8(bytes).is_err() || bytes.starts_with(&[0xff]) || bytes.contains(&0) {
        return 0;
    }
    let expected = by_the_csv_crate(&file, bytes).expect("the csv crate reads it too");
    assert_eq!(read.rows.len() + 1, expected.len(), "the number of rows");
    // An index without a name is left out.
    let first = expected[0].len() - read.names.len();
    for (row, expected) in read.rows.iter().zip(expected[1..].iter().map(|row| &row[first..])) {
        assert!(
            row.iter().map(|c| c.as_deref()).eq(expected.iter().map(|c| Some(c.as_str()))),
            "{row:?} {expected:?}"
        );
    }
    read.rows.len()
}

/// The loop; the inputs that failed are kept.
fn fuzz(time: Duration, seed: u64) {
    let corpus = corpus();
    let dir = tempfile::tempdir().unwrap();
    let mut rng = Seed(seed).stream("fuzz the reader", 0);
    let started = Instant::now();
    let (mut cases, mut compared) = (0_u64, 0);
    while started.elapsed() < time {
        // Texts are small and their mistakes many, so that they get most of the time.
        let texts = corpus.iter().filter(|(name, _)| name.starts_with("t.")).count();
        let of_texts = rng.random_range(0..10) > 0;
        let candidates: Vec<_> =
            corpus.iter().filter(|(name, _)| name.starts_with("t.") == of_texts).collect();
        debug_assert!(texts > 0 && !candidates.is_empty());
        let (name, whole) = candidates[rng.random_range(0..candidates.len())];
        let mut bytes = whole.clone();
        mutate(&mut bytes, &mut rng);
        let path = dir.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let begun = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| check(&path, &bytes)));
        assert!(begun.elapsed() < Duration::from_secs(30), "reading {name} takes long: {bytes:?}");
        match ended {
            Ok(rows) => compared += rows,
            Err(_) => {
                let kept = std::env::temp_dir().join(format!("fuzz-{seed}-{cases}-{name}"));
                std::fs::write(&kept, &bytes).unwrap();
                panic!("case {cases} of seed {seed} failed; its file is {}", kept.display());
            }
        }
        cases += 1;
    }
    eprintln!("{cases} files read in {:?}, {compared} rows compared", started.elapsed());
    assert!(compared > 0);
}

#[test]
fn mutated_files_are_read_as_the_csv_crate_reads_them_or_refused() {
    fuzz(Duration::from_secs(2), 1);
}

#[test]
#[ignore = "runs as long as COHORT_FLOW_FUZZ_SECONDS says; see tests/bench/fuzz_reader.sh"]
fn fuzz_for_a_while() {
    let number = |name: &str, usual| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    fuzz(Duration::from_secs(number("COHORT_FLOW_FUZZ_SECONDS", 60)), number("COHORT_FLOW_FUZZ_SEED", 2));
}
