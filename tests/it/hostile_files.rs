//! Files that were made to stop, fill or mislead the program: each is answered by an error in short time.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{bundle, command, fail, succeed};

/// Runs and expects an error that holds `part`, within seconds. The output is thrown away when it hangs, so that
/// a test that fails ends.
fn refused(dir: &Path, args: &[&str], part: &str) {
    let started = Instant::now();
    let mut child = command(dir, args).stderr(Stdio::piped()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{args:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    assert!(text.contains("error") && text.contains(part) && !text.contains("panicked"), "{args:?}: {text}");
}

#[test]
#[cfg(unix)]
fn pipes_and_devices_are_refused_wherever_a_file_is_read() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 200);
    succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm"]);
    let pipe = |place: &str| {
        let path = dir.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    };
    let zero = |place: &str| {
        fs::remove_file(dir.join(place)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.join(place)).unwrap();
    };
    let what = "a pipe or a device";
    for place in ["pipe.csv", "pipe.toml", "signals/a.hea"] {
        pipe(place);
    }
    refused(dir, &["ingest", "wide-table", "--input", "pipe.csv", "--output", "o"], what);
    refused(dir, &["ingest", "wide-table", "--input", "/dev/zero", "--output", "o"], what);
    refused(dir, &["check", "pipe.csv", "--output", "o"], what);
    refused(dir, &["ingest", "./pipe.toml", "--input", "table.csv", "--output", "o"], what);
    refused(dir, &["ingest", "/dev/zero", "--input", "table.csv", "--output", "o"], what);
    refused(dir, &["flag", "model", "--input", "pipe.csv", "--output", "o.csv"], what);
    refused(dir, &["check", "signals", "--output", "o"], "pipe");
    zero("bundle/tensor.safetensors");
    refused(dir, &["fit", "bundle", "--output", "o"], what);
    pipe("bundle/manifest.json");
    refused(dir, &["fit", "bundle", "--output", "o"], what);
    zero("model/model.safetensors");
    refused(dir, &["sample", "model", "--n", "3", "--output", "o.csv"], what);
    pipe("model/model.json");
    refused(dir, &["sample", "model", "--n", "3", "--output", "o.csv"], what);
}

#[test]
fn deep_nesting_bombs_and_absurd_headers_are_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 200);
    let wide = |input: &str, parts: &[&str]| {
        fail(dir, &["ingest", "wide-table", "--input", input, "--output", "o"], parts);
    };
    // Thirty million columns, and one cell of a hundred million characters, in files of a hundred kilobytes.
    // Hundreds of millions of rows without a value in less than a megabyte, of which no minute is spent.
    let started = Instant::now();
    for (name, part, times) in
        [("columns.csv.gz", "a,", 60), ("cell.csv.gz", "00", 100), ("rows.csv.gz", ",\n", 500)]
    {
        let mut packed = GzEncoder::new(fs::File::create(dir.join(name)).unwrap(), Compression::best());
        packed.write_all(b"id,x\n".get(..if part == "a," { 0 } else { 5 }).unwrap()).unwrap();
        (0..times).for_each(|_| packed.write_all(&part.as_bytes().repeat(1 << 19)).unwrap());
        packed.finish().unwrap();
    }
    wide("columns.csv.gz", &["columns.csv.gz", "more than 100000 columns", "hint"]);
    wide("cell.csv.gz", &["cell.csv.gz", "a line does not end, within 64 MB", "hint"]);
    wide("rows.csv.gz", &["rows.csv.gz", "unpacks to more than 100 times its size", "hint"]);
    // Built without optimisation, and beside other tests, the program is many times slower.
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
    fs::write(dir.join("cell.csv"), format!("id,x\n1,\"{}", "0".repeat(70 << 20))).unwrap();
    wide("cell.csv", &["cell.csv", "64 MB", "hint"]);
    fs::write(dir.join("deep.toml"), format!("a = {}", "[".repeat(200_000))).unwrap();
    fail(dir, &["ingest", "./deep.toml", "--input", "table.csv", "--output", "o"], &["deep.toml"]);
    fs::write(dir.join("bundle/manifest.json"), "[".repeat(500_000)).unwrap();
    fail(dir, &["fit", "bundle", "--output", "o"], &["manifest.json", "hint"]);
    // A tensor of 10⁹ columns in 16 bytes, and an array of NumPy of 10⁹ channels in 64.
    let header = r#"{"x":{"dtype":"F32","shape":[10,1000000000],"data_offsets":[0,40000000000]}}"#;
    let mut tensor = (header.len() as u64).to_le_bytes().to_vec();
    tensor.extend(header.as_bytes());
    tensor.extend([0; 16]);
    succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle", "--force"]);
    fs::write(dir.join("bundle/tensor.safetensors"), tensor).unwrap();
    fail(dir, &["fit", "bundle", "--output", "o"], &["tensor.safetensors", "hint"]);
    let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1000000000), }";
    let mut array = b"\x93NUMPY\x01\x00".to_vec();
    array.extend(118_u16.to_le_bytes());
    array.extend(format!("{text:<117}\n").as_bytes());
    array.extend([0; 64]);
    fs::write(dir.join("a.npy"), array).unwrap();
    let ingest = ["ingest", "waveform-1024", "--input", "a.npy", "--set", "frequency=125", "--output", "o"];
    fail(dir, &ingest, &["a.npy", "ends before its header says"]);
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    fs::create_dir_all(dir.join("inside/record")).unwrap();
    fs::write(dir.join("secret.dat"), [7; 4000]).unwrap();
    let header = "a 1 125 1000\n../../secret.dat 16 200 16 0 0 0 0 PLETH\n";
    fs::write(dir.join("inside/record/a.hea"), header).unwrap();
    let signals = ["ingest", "waveform-1024", "--input", "inside", "--output", "o"];
    fail(dir, &signals, &["outside the folder of the header"]);
    // A schema that names a file above the extract finds nothing.
    succeed(dir, &["synth", "--patients", "40", "--output", "inside/extract"]);
    fs::rename(dir.join("inside/extract/PATIENTS.csv"), dir.join("PATIENTS.csv")).unwrap();
    let schema = include_str!("../../schemas/mimic3.toml");
    let table = "[tables.PATIENTS]\n";
    assert!(schema.contains(table));
    let outside = schema.replace(table, "[tables.PATIENTS]\nfiles = [\"../../PATIENTS\"]\n");
    fs::write(dir.join("outside.toml"), outside).unwrap();
    let pipeline = include_str!("../../pipelines/mimic3-first-24h.toml");
    let named = pipeline.replace("schema = \"mimic3\"", "schema = \"outside.toml\"");
    assert!(named != pipeline, "the pipeline names its schema in another way");
    fs::write(dir.join("pipeline.toml"), named).unwrap();
    let ingest = ["ingest", "./pipeline.toml", "--input", "inside/extract", "--output", "o"];
    fail(dir, &ingest, &["leads out of the folder"]);
}
