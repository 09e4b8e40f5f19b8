//! What the columns of real tables are taken for, with default options and nothing declared, held against
//! golden files that were written from the documentation of the data sets (`tests/golden/roles/README.md`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::support;

/// What the documentation says about a table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    /// Beside the golden file, or below the folder of shared data.
    file: String,
    /// Of a zip archive, the table in it.
    member: Option<String>,
    rows: u64,
    source: String,
    columns: BTreeMap<String, Column>,
}

/// What the documentation says about a column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    roles: Vec<String>,
    /// Codes of missing values, for the reader of the file; the test goes by the counts.
    #[serde(default, rename = "missing")]
    _missing: Vec<String>,
    #[serde(default)]
    missing_cells: u64,
    #[serde(default, rename = "perhaps_missing")]
    _perhaps_missing: Vec<String>,
    #[serde(default)]
    perhaps_missing_cells: u64,
    why: String,
}

/// What a bundle says about a column of the table it was made from.
#[derive(Debug)]
struct Taken {
    role: String,
    /// Records without a value; of features only.
    missing: Option<u64>,
}

#[test]
fn diabetes_130() {
    check("diabetes130");
}

#[test]
fn mimic2_arterial_catheters() {
    check("mimic2-iac");
    check("mimic2-iac-lf");
}

#[test]
fn nhanes_2009_to_2012() {
    check("nhanes-2009-2012");
    check("nhanes-2009-2012-raw");
}

#[test]
fn nhanes_2017_to_2018() {
    for table in ["alq", "biopro", "bmx", "demo", "ghb", "glu", "hdl", "heq", "ins", "lux"] {
        check(&format!("nhanes-2017-2018-{table}_j"));
    }
}

#[test]
fn survset() {
    for table in ["csl", "datadivat1", "flchain", "framingham", "heartvalve", "rhc", "smarto", "support2"] {
        check(&format!("survset-{table}"));
    }
}

#[test]
fn uci_heart() {
    check("uci-heart");
}

#[test]
fn every_golden_file_has_a_test() {
    let source = include_str!("golden_roles.rs");
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let stem = path.file_stem().unwrap().to_str().unwrap().to_string();
        let last = stem
            .trim_start_matches("nhanes-2017-2018-")
            .trim_start_matches("survset-")
            .trim_end_matches("_j");
        assert!(source.contains(&format!("\"{last}\"")), "no test reads {stem}.toml");
    }
}

/// Ingests the table `name` as it comes and lists everything that its golden file does not allow.
fn check(name: &str) {
    let text = fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    let golden: Golden = toml::from_str(&text).unwrap();
    let beside = folder().join(&golden.file);
    let file = if beside.is_file() { Some(beside) } else { support::shared(&golden.file) };
    let Some(file) = file else { return };
    let dir = tempfile::tempdir().unwrap();
    let input = match &golden.member {
        Some(member) => {
            let path = dir.path().join(Path::new(member).file_name().unwrap());
            fs::write(&path, unzip(&file, member)).unwrap();
            path
        }
        None => file,
    };
    let stderr = support::succeed(
        dir.path(),
        &["ingest", "wide-table", "--input", input.to_str().unwrap(), "--output", "bundle"],
    );
    let bundle = dir.path().join("bundle");
    let (taken, records) = taken(&bundle, golden.columns.keys());

    let mut faults = String::new();
    if records != golden.rows {
        writeln!(faults, "{records} records of {} rows", golden.rows).unwrap();
    }
    for (column, want) in &golden.columns {
        let got = &taken[column];
        if !want.roles.contains(&got.role) {
            writeln!(
                faults,
                "`{column}` is taken for {}, not {}: {}",
                got.role,
                want.roles.join(" or "),
                want.why
            )
            .unwrap();
        }
        let allowed = want.missing_cells..=want.missing_cells + want.perhaps_missing_cells;
        if let Some(missing) = got.missing.filter(|missing| !allowed.contains(missing)) {
            writeln!(
                faults,
                "`{column}` is missing in {missing} records, not in {} to {}: {}",
                allowed.start(),
                allowed.end(),
                want.why
            )
            .unwrap();
        }
        if got.role == "ignore" && !stderr.contains(&format!("`{column}`")) {
            writeln!(faults, "`{column}` is left out, and no message on the terminal names it").unwrap();
        }
    }
    assert!(faults.is_empty(), "{name}, by {}:\n{faults}", golden.source);
}

/// The role of each of `columns`, with the number of records. The one place that knows where a bundle writes
/// them: the kinds of features in the manifest, everything else in the warnings of the audit.
fn taken<'a>(bundle: &Path, columns: impl Iterator<Item = &'a String>) -> (BTreeMap<String, Taken>, u64) {
    let manifest = json(&bundle.join("manifest.json"));
    let audit = json(&bundle.join("audit.json"));
    let features = manifest["encoder"]["columns"].as_array().unwrap();
    let variables = audit["variables"].as_array().unwrap();
    let warnings: Vec<&str> =
        audit["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let said = |column: &str, what: &str| {
        warnings.iter().any(|warning| warning.contains(&format!("`{column}`")) && warning.contains(what))
    };
    let taken = columns
        .map(|column| {
            let feature = features.iter().find(|feature| feature["meta"]["name"] == column.as_str());
            let variable = variables.iter().find(|variable| variable["variable"] == column.as_str());
            let role = match feature {
                Some(feature) => feature["meta"]["kind"].as_str().unwrap(),
                None if said(column, "one split") => "group",
                None if said(column, "ignored") || said(column, "left out") => "ignore",
                None => "id",
            };
            let missing = feature.and(variable).and_then(|variable| variable["records_missing"].as_u64());
            (column.clone(), Taken { role: role.to_string(), missing })
        })
        .collect();
    (taken, manifest["n_records"].as_u64().unwrap())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/roles")
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The bytes of `member` of a zip archive whose entries are stored or deflated and smaller than 4 GB. Sizes
/// come from the central directory at the end of the file, because local headers may leave them to be filled
/// in later.
fn unzip(path: &Path, member: &str) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let short = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let long = |at: usize| short(at) + (short(at + 2) << 16);
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06").expect("the end of a zip archive");
    let mut entry = long(end + 16);
    for _ in 0..short(end + 10) {
        let (method, size, start) = (short(entry + 10), long(entry + 20), long(entry + 42));
        let (name, extra, comment) = (short(entry + 28), short(entry + 30), short(entry + 32));
        if &bytes[entry + 46..entry + 46 + name] == member.as_bytes() {
            let data = start + 30 + short(start + 26) + short(start + 28);
            let data = &bytes[data..data + size];
            if method == 0 {
                return data.to_vec();
            }
            let mut out = Vec::new();
            DeflateDecoder::new(data).read_to_end(&mut out).unwrap();
            return out;
        }
        entry += 46 + name + extra + comment;
    }
    panic!("{} has no {member}", path.display());
}
