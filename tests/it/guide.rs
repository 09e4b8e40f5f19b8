//! Every command that the README and the guide show is run, on small synthetic inputs under the names that
//! the pages use. Fits are cut to one epoch, which is the only change to what is written there.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support;

/// Commands that only make sense once per machine, or whose time the suite cannot spend.
const NOT_RUN: [&str; 2] = ["cargo", "cohort-flow demo"];

/// Lines of the shell blocks of a page, continued lines joined, comments and blank lines left out.
fn commands(page: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut in_shell = false;
    let mut continued = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_shell = line == "```sh";
            continue;
        }
        let code = line.split(" #").next().unwrap_or_default().trim();
        if !in_shell || code.is_empty() || code.starts_with('#') {
            continue;
        }
        let (code, more) = code.strip_suffix('\\').map_or((code, false), |code| (code.trim(), true));
        match commands.last_mut().filter(|_| continued) {
            Some(last) => *last = format!("{last} {code}"),
            None => commands.push(code.to_string()),
        }
        continued = more;
    }
    commands
}

/// Runs a command of a page in `dir`. What it writes replaces what an earlier command wrote.
fn run(dir: &Path, command: &str) {
    let (command, redirected) =
        command.split_once('>').map_or((command, None), |(c, to)| (c.trim(), Some(to.trim())));
    let mut words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let output = words.iter().position(|w| *w == "--output").and_then(|at| words.get(at + 1)).copied();
    if let Some(output) = output {
        let path = dir.join(output);
        let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
    let no_epochs = ["gmm", "tmix", "armix", "var"];
    let untrained = words.windows(2).any(|w| w[0] == "--model" && no_epochs.contains(&w[1]));
    if words[0] == "fit" && !untrained {
        words.extend(["--epochs", "1"]);
    }
    if words[0] == "check" {
        words.extend(["--time-budget", "2s"]);
    }
    let finished = support::run(dir, &words);
    let stderr = String::from_utf8_lossy(&finished.stderr);
    assert!(finished.status.success(), "`{command}` of the guide ended with {}\n{stderr}", finished.status);
    if let Some(to) = redirected {
        fs::write(dir.join(to), &finished.stdout).unwrap();
    }
}

/// Inputs under the names that the pages use.
fn prepare(dir: &Path) {
    let quiet = |args: &[&str]| drop(support::succeed(dir, args));
    let extract = "mimic-iii-clinical-database-demo-1.4";
    quiet(&["synth", "--patients", "500", "--seed", "3", "--output", extract]);
    quiet(&["synth", "--patients", "500", "--seed", "3", "--output", "DIR"]);
    quiet(&["synth", "--waveform", "--patients", "2", "--minutes", "6", "--output", "RECORDS"]);
    let table = support::table(600, 1);
    let mut lines = table.lines();
    let mut wide = format!("{},patient_id,ward,note\n", lines.next().unwrap());
    for (i, line) in lines.enumerate() {
        let ward = ["medical", "surgical"][i % 2];
        writeln!(wide, "{line},{},{ward},free text number {i}", i / 2).unwrap();
    }
    fs::write(dir.join("table.csv"), &wide).unwrap();
    fs::write(dir.join("new-patients.csv"), &wide).unwrap();
    quiet(&[
        "ingest",
        "wide-table",
        "--input",
        "table.csv",
        "--output",
        "out/cohort",
        "--set",
        "role.patient_id=group",
    ]);
    for copy in ["out/table", "out/2024", "out/2019"] {
        quiet(&[
            "ingest",
            "wide-table",
            "--input",
            "table.csv",
            "--output",
            copy,
            "--set",
            "role.patient_id=group",
        ]);
    }
    quiet(&["fit", "out/cohort", "--output", "out/flow", "--preset", "small", "--epochs", "2"]);
    quiet(&["fit", "out/cohort", "--output", "out/gmm", "--model", "gmm"]);
    quiet(&["fit", "out/2024", "--output", "out/2024-gmm", "--model", "gmm"]);
    quiet(&["fit", "out/2019", "--output", "out/2019-flow", "--model", "gmm"]);
    let labels: Vec<String> = (0..600).map(|i| format!("p{i},{}\n", u8::from(i % 50 == 0))).collect();
    fs::write(dir.join("labels.csv"), format!("record_id,label\n{}", labels.concat())).unwrap();
    fs::write(dir.join("partial.csv"), "heart_rate,sbp,map,gcs,sex,lactate,ward\n80,,90,15,F,,medical\n")
        .unwrap();
    write_npy(&dir.join("windows.npy"));
    write_idx(dir);
}

/// 80 pictures of 8 × 8 numbers in the format of MNIST, with labels from 0 to 9.
fn write_idx(dir: &Path) {
    let number =
        |i: u32| ((f64::from(i / 64) + f64::from(i % 8) * f64::from(i % 64 / 8)).sin() * 120.0 + 128.0) as u8;
    let header = [[0, 0, 8, 3], [0, 0, 0, 80], [0, 0, 0, 8], [0, 0, 0, 8]].concat();
    let pictures: Vec<u8> = header.into_iter().chain((0..80 * 64).map(number)).collect();
    fs::write(dir.join("train-images-idx3-ubyte"), pictures).unwrap();
    let labels: Vec<u8> = [0, 0, 8, 1, 0, 0, 0, 80].into_iter().chain((0..80).map(|i| i % 10)).collect();
    fs::write(dir.join("train-labels-idx1-ubyte"), labels).unwrap();
}

/// An array of 40 windows of 1,024 samples and two channels, in the format of `NumPy`.
fn write_npy(path: &Path) {
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    let description = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 1024, 2), }";
    let padded = format!("{description:<width$}\n", width = 128 - 10 - 1);
    header.extend(u16::try_from(padded.len()).unwrap().to_le_bytes());
    header.extend(padded.as_bytes());
    for i in 0..40 * 1024_u32 {
        let beat = (f64::from(i) / 20.0).sin();
        let noise = f64::from(i.wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
        for value in [beat + 0.1 * noise, 80.0 + 20.0 * beat + noise] {
            header.extend((value as f32).to_le_bytes());
        }
    }
    fs::write(path, header).unwrap();
}

#[test]
fn every_command_of_the_guide_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md")];
    pages.extend(fs::read_dir(root.join("src/guide")).unwrap().map(|entry| entry.unwrap().path()));
    pages.retain(|page| page.extension().is_some_and(|e| e == "md"));
    pages.sort();
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path());
    let mut n_run = 0;
    for page in pages {
        for command in commands(&fs::read_to_string(&page).unwrap()) {
            if NOT_RUN.iter().any(|start| command.starts_with(start)) || !command.starts_with("cohort-flow ")
            {
                continue;
            }
            run(dir.path(), &command);
            n_run += 1;
        }
    }
    assert!(n_run >= 35, "only {n_run} commands were found");
}
