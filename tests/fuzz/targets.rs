//! What is fuzzed: each target writes its bytes where the program would find them, and reads them through the
//! public functions that the commands call. A target is right when it returns: with a value or an error, soon
//! and in little memory. `main.rs` runs one under libFuzzer; `tests/it/fuzz.rs` replays the kept inputs.

use std::fs;
use std::path::{Path, PathBuf};

use cohort_flow::artifact::ModelArtifact;
use cohort_flow::features::Bundle;
use cohort_flow::ingest::{self, NoProgress, TextTable};
use cohort_flow::picture::read_pictures;
use cohort_flow::random::Seed;
use cohort_flow::schema::{
    Pipeline, Split, apply_settings, canonical_json, load_pipeline, load_schema, parse_pipeline,
    parse_schema, render_pipeline, render_schema,
};
use cohort_flow::waveform::{Record, read_windows};

/// Reads `data`; the folder is for the files that have to be made of it.
pub(crate) type Target = fn(data: &[u8], folder: &Path);

/// All targets by name.
pub(crate) const ALL: [(&str, Target); 14] = [
    ("schema", schema),
    ("pipeline", pipeline),
    ("settings", settings),
    ("text", text),
    ("gzip", gzip),
    ("parquet", parquet),
    ("arrow", arrow),
    ("extract", extract),
    ("bundle", bundle),
    ("model", model),
    ("wfdb", wfdb),
    ("signals", signals),
    ("arrays", arrays),
    ("pictures", pictures),
];

/// A small bundle and a model of each kind, which the targets that replace one file of them start from.
fn whole() -> PathBuf {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = if crate_root.ends_with("fuzz") { crate_root.join("..") } else { crate_root.join("tests") };
    tests.join("compatibility/bundle-2-model-6")
}

/// A built-in pipeline; none of them is wrong.
fn built_in(name: &str) -> Pipeline {
    load_pipeline(name).expect("a built-in pipeline").0
}

/// A schema, and what is printed of it.
fn schema(data: &[u8], _: &Path) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(schema) = parse_schema("fuzz.toml", text) {
        drop(render_schema(&schema));
        drop(canonical_json(&schema));
    }
}

/// A pipeline, expressions and all, against a built-in schema.
fn pipeline(data: &[u8], _: &Path) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A path to a file is not followed: the input shall be all that is read.
    let load = |name: &str| load_schema(if name.contains(['/', '.']) { "mimic3" } else { name });
    if let Ok((pipeline, schema)) = parse_pipeline("fuzz.toml", text, &load) {
        drop(render_pipeline(&pipeline, schema.as_ref()));
        drop(canonical_json(&pipeline));
    }
}

/// Lines of `key=value` as after `--set`, of which the first names a pipeline.
fn settings(data: &[u8], _: &Path) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (name, lines) = text.split_once('\n').unwrap_or(("", text));
    let known = ["waveform-1024", "images", "mimic3-first-24h", "wide-table"];
    let name = known.iter().find(|known| **known == name).unwrap_or(&"wide-table");
    let settings: Vec<(String, String)> = lines
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    drop(apply_settings(&mut built_in(name), &settings));
}

/// A table with one row per record, read as data and as a table of labels.
fn table(data: &[u8], path: &Path) {
    fs::write(path, data).expect("the folder takes files");
    drop(ingest::read_wide(&built_in("wide-table"), path, &NoProgress));
    if let Ok(table) = TextTable::open(path) {
        let all: Vec<usize> = (0..table.header().len()).collect();
        drop(table.each::<ingest::IngestError>(&all, |_, _| Ok(())));
    }
}

fn text(data: &[u8], folder: &Path) {
    table(data, &folder.join("t.csv"));
}

fn gzip(data: &[u8], folder: &Path) {
    table(data, &folder.join("t.csv.gz"));
}

fn parquet(data: &[u8], folder: &Path) {
    table(data, &folder.join("t.parquet"));
}

fn arrow(data: &[u8], folder: &Path) {
    table(data, &folder.join("t.arrow"));
}

/// Tables of an extract of a hospital of one patient, one of which is the input.
fn extract(data: &[u8], folder: &Path) {
    let Some((which, rest)) = data.split_first() else { return };
    let tables = [
        ("patients.csv", "person,sex,born\n1,F,1950-02-03\n"),
        ("stays.csv", "person,stay,begin,end\n1,7,2020-01-01 10:00:00,2020-01-03 10:00:00\n"),
        ("values.csv", "stay,at,item,value,unit\n7,2020-01-01 11:00:00,220045,80,bpm\n"),
    ];
    for (at, (name, whole)) in tables.iter().enumerate() {
        let content = if at == usize::from(*which) % tables.len() { rest } else { whole.as_bytes() };
        fs::write(folder.join(name), content).expect("the folder takes files");
    }
    let schema = parse_schema("ward.toml", include_str!("ward.toml")).expect("a schema without mistakes");
    let pipeline =
        parse_pipeline("ward-pipeline.toml", include_str!("ward-pipeline.toml"), &|_| Ok(schema.clone()))
            .expect("a pipeline without mistakes")
            .0;
    drop(ingest::ingest(&schema, &pipeline, folder, &NoProgress));
}

/// Copies a folder of [`whole`] but for the file that the first byte chooses, which holds the rest.
fn replace_one(data: &[u8], of: &str, files: &[&str], folder: &Path) -> bool {
    let Some((which, rest)) = data.split_first() else { return false };
    let chosen = files[usize::from(*which) % files.len()];
    for file in files {
        let to = folder.join(file);
        if *file == chosen {
            fs::write(&to, rest).expect("the folder takes files");
        } else {
            fs::copy(whole().join(of).join(file), &to).expect("a file of the small bundle");
        }
    }
    true
}

/// A bundle of which one file is the input.
fn bundle(data: &[u8], folder: &Path) {
    if replace_one(data, "bundle", &["manifest.json", "tensor.safetensors", "audit.json"], folder)
        && let Ok(bundle) = Bundle::open(folder)
    {
        Split::ALL.into_iter().for_each(|split| drop(bundle.raw_of(split)));
        drop(bundle.stored_draw());
    }
}

/// A model of which one file is the input. One that loads has to score and to be sampled.
fn model(data: &[u8], folder: &Path) {
    let Some((kind, rest)) = data.split_first() else { return };
    let whole = ["gmm", "flow"][usize::from(*kind) % 2];
    let files = ["model.json", "model.safetensors", "metrics.json", "history.csv"];
    if replace_one(rest, whole, &files, folder)
        && let Ok(model) = ModelArtifact::load(folder)
    {
        let raw = ndarray::Array2::zeros((2, model.encoder.n_features()));
        drop(model.score_with(raw.view(), 1, Seed(1)));
        drop(model.density().sample(2, Seed(1)));
    }
}

/// A WFDB header up to the first zero byte, and its file of signals after it.
fn wfdb(data: &[u8], folder: &Path) {
    let end = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let (header, rest) = data.split_at(end);
    fs::write(folder.join("r.hea"), header).expect("the folder takes files");
    fs::write(folder.join("r.dat"), rest.get(1..).unwrap_or_default()).expect("the folder takes files");
    if let Ok(record) = Record::open(&folder.join("r.hea")) {
        for segment in record.segments.iter().take(3) {
            drop(record.read_segment(segment));
        }
    }
    let pipeline = built_in("waveform-1024");
    let settings = pipeline.waveform.clone().expect("a pipeline of windows");
    drop(read_windows(&pipeline, &settings, folder));
}

/// An array of NumPy, or a table, of signals.
fn signals(data: &[u8], folder: &Path) {
    let Some((which, rest)) = data.split_first() else { return };
    let name = ["s.npy", "s.csv"][usize::from(*which) % 2];
    fs::write(folder.join(name), rest).expect("the folder takes files");
    let mut pipeline = built_in("waveform-1024");
    let set = [("frequency", "125"), ("window", "8"), ("stride", "8")];
    let set = set.map(|(key, value)| (key.to_owned(), value.to_owned()));
    apply_settings(&mut pipeline, &set).expect("settings without mistakes");
    let settings = pipeline.waveform.clone().expect("a pipeline of windows");
    drop(read_windows(&pipeline, &settings, &folder.join(name)));
}

/// A file of many pictures: IDX, plain or packed, or an array of NumPy or an archive of such.
fn arrays(data: &[u8], folder: &Path) {
    let Some((which, rest)) = data.split_first() else { return };
    let names = ["p-images-idx3-ubyte", "p-images-idx3-ubyte.gz", "p.npy", "p.npz"];
    let path = folder.join(names[usize::from(*which) % names.len()]);
    fs::write(&path, rest).expect("the folder takes files");
    let pipeline = built_in("images");
    let settings = pipeline.grid.clone().expect("a pipeline of pictures");
    drop(read_pictures(&pipeline, &settings, &path));
}

/// A folder of pictures, of which one is the input.
fn pictures(data: &[u8], folder: &Path) {
    let Some((which, rest)) = data.split_first() else { return };
    let names = ["a.png", "a.jpg", "a.tiff"];
    for name in names {
        drop(fs::remove_file(folder.join(name)));
    }
    fs::write(folder.join(names[usize::from(*which) % names.len()]), rest).expect("the folder takes files");
    let pipeline = built_in("images");
    let settings = pipeline.grid.clone().expect("a pipeline of pictures");
    drop(read_pictures(&pipeline, &settings, folder));
}
