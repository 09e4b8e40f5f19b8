//! Random tables, written in a random dialect, come back as they were; `COHORT_FLOW_TABLES` says how many
//! (10,000 in the long mode).

use std::io::Write as _;

use polars_core::prelude::*;
use polars_io::prelude::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

fn config(usual: u32) -> Config {
    let cases = std::env::var("COHORT_FLOW_TABLES").ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A table of texts.
fn any_table() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = prop_oneof![
        3 => "[0-9]{1,3}([.,][0-9]{1,2})?",
        2 => Just(String::new()),
        2 => "[a-zA-Zäöüßé° ]{0,8}",
        2 => "[\"',;|\t\r\n a#=-]{0,6}",
        1 => "\\PC{0,5}",
    ];
    (2_usize..6, 1_usize..12).prop_flat_map(move |(width, height)| {
        prop::collection::vec(prop::collection::vec(cell.clone(), width), height)
    })
}

/// How a table is written.
#[derive(Debug, Clone)]
struct Style {
    separator: u8,
    end: &'static str,
    quote_all: bool,
    last_end: bool,
    encoding: usize,
    gzip: bool,
}

fn any_style() -> impl Strategy<Value = Style> {
    let separator = prop::sample::select(vec![b',', b';', b'\t', b'|']);
    let end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    (separator, end, any::<bool>(), any::<bool>(), 0_usize..5, any::<bool>()).prop_map(
        |(separator, end, quote_all, last_end, encoding, gzip)| Style {
            separator,
            end,
            quote_all,
            last_end,
            encoding,
            gzip,
        },
    )
}

impl Style {
    fn write(&self, rows: &[Vec<String>]) -> Vec<u8> {
        let separator = char::from(self.separator);
        let cell = |cell: &String| {
            let quote = self.quote_all || cell.contains([separator, '"', '\r', '\n']);
            if quote { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
        };
        let lines =
            rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(&separator.to_string()));
        let mut text = lines.collect::<Vec<_>>().join(self.end);
        if self.last_end {
            text.push_str(self.end);
        }
        let bytes = match self.encoding {
            0 => text.into_bytes(),
            1 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            2 => [b"\xff\xfe".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
            3 => [b"\xfe\xff".to_vec(), text.encode_utf16().flat_map(u16::to_be_bytes).collect()].concat(),
            _ => {
                // Latin-1, where the text can be written so; bytes from 80 to 9f stand for other characters
                // in Windows-1252.
                let latin = |c: char| u8::try_from(u32::from(c)).ok().filter(|b| !matches!(b, 0x80..=0x9f));
                let bytes = text.chars().map(latin).collect::<Option<Vec<u8>>>();
                // "ß°" in Latin-1 is one character in UTF-8, and nobody can tell which was meant.
                bytes.filter(|bytes| std::str::from_utf8(bytes).is_err()).unwrap_or(text.into_bytes())
            }
        };
        if !self.gzip {
            return bytes;
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&bytes).unwrap();
        encoder.finish().unwrap()
    }
}

/// Numbered names, so that the header is a header and no two are equal.
fn with_header(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let header = (0..rows[0].len()).map(|i| format!("c{i}")).collect();
    std::iter::once(header).chain(rows.iter().cloned()).collect()
}

#[test]
fn random_texts_come_back_whatever_the_dialect() {
    let mut runner = TestRunner::new(config(300));
    let dir = tempfile::tempdir().unwrap();
    runner
        .run(&(any_table(), any_style()), |(rows, style)| {
            let path = dir.path().join(if style.gzip { "t.csv.gz" } else { "t.csv" });
            std::fs::write(&path, style.write(&with_header(&rows))).unwrap();
            match read(&path) {
                Ok(read) => {
                    let cells: Vec<Vec<String>> =
                        read.rows.iter().map(|r| r.iter().map(|c| c.clone().unwrap()).collect()).collect();
                    prop_assert_eq!(cells, rows);
                }
                // Windows-1252 bytes that happen to be UTF-8, and cells that divide like a separator, are
                // refused.
                Err(
                    IngestError::MixedEncodings { .. }
                    | IngestError::TwoSeparators { .. }
                    | IngestError::Nul { .. }
                    | IngestError::UnknownEncoding { .. },
                ) => {}
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn random_tables_come_back_from_parquet_and_arrow() {
    let mut runner = TestRunner::new(config(100));
    let dir = tempfile::tempdir().unwrap();
    let rows = prop::collection::vec(
        (
            any::<Option<i64>>(),
            any::<Option<u64>>(),
            any::<Option<f64>>(),
            any::<Option<bool>>(),
            any::<Option<String>>(),
        ),
        0..40,
    );
    runner
        .run(&(rows, 1_usize..9, 0_usize..3), |(rows, group, format)| {
            let column = |name: &str, series: Series| series.with_name(name.into()).into_column();
            let mut frame = DataFrame::new(
                rows.len(),
                vec![
                    column("i", rows.iter().map(|r| r.0).collect::<Int64Chunked>().into_series()),
                    column("u", rows.iter().map(|r| r.1).collect::<UInt64Chunked>().into_series()),
                    column("f", rows.iter().map(|r| r.2).collect::<Float64Chunked>().into_series()),
                    column("b", rows.iter().map(|r| r.3).collect::<BooleanChunked>().into_series()),
                    column("t", rows.iter().map(|r| r.4.as_deref()).collect::<StringChunked>().into_series()),
                ],
            )
            .unwrap();
            let path = dir.path().join(["t.parquet", "t.arrow", "s.arrow"][format]);
            let file = std::fs::File::create(&path).unwrap();
            match format {
                0 => drop(
                    ParquetWriter::new(file).with_row_group_size(Some(group)).finish(&mut frame).unwrap(),
                ),
                1 => IpcWriter::new(file).finish(&mut frame).unwrap(),
                _ => IpcStreamWriter::new(file).finish(&mut frame).unwrap(),
            }
            let read = read(&path).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(read.rows.len(), rows.len());
            for (found, row) in read.rows.iter().zip(rows) {
                let expected = [
                    row.0.map(|v| v.to_string()),
                    row.1.map(|v| v.to_string()),
                    row.2.map(|v| format!("{v:?}")),
                    row.3.map(|v| v.to_string()),
                    row.4,
                ];
                prop_assert_eq!(&found[..], &expected[..]);
            }
            Ok(())
        })
        .unwrap();
}
