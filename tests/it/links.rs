//! Links that lead out of a folder, by the whole program: they are followed and told of, or refused where the user
//! does not trust whoever packed the folder.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::support::{fail, succeed};

const OUT: &str = "leads out of the folder";

/// Moves a file or folder out of the folder `in` and puts a link in its place.
fn move_out(dir: &Path, name: &str) {
    fs::create_dir_all(dir.join("out")).unwrap();
    let from = dir.join("in").join(name);
    let to = dir.join("out").join(from.file_name().unwrap());
    fs::rename(&from, &to).unwrap();
    symlink(&to, from).unwrap();
}

#[test]
fn tables_of_an_extract_behind_links_are_read_if_that_is_allowed_and_refused_otherwise() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    succeed(dir, &["synth", "--patients", "60", "--output", "in"]);
    let ingest = ["ingest", "mimic3-first-24h", "--input", "in", "--output", "whole"];
    succeed(dir, &ingest);
    // A link within the folder, a link to the folder, and a link that no table is behind.
    fs::create_dir(dir.join("in/raw")).unwrap();
    fs::rename(dir.join("in/PATIENTS.csv"), dir.join("in/raw/PATIENTS.csv")).unwrap();
    symlink("raw/PATIENTS.csv", dir.join("in/PATIENTS.csv")).unwrap();
    symlink("in", dir.join("link")).unwrap();
    symlink("/dev/zero", dir.join("in/zero")).unwrap();
    let _socket = UnixListener::bind(dir.join("in/socket.csv")).unwrap();
    succeed(dir, &["ingest", "mimic3-first-24h", "--input", "link", "--output", "linked"]);
    let manifest = |bundle: &str| fs::read(dir.join(bundle).join("manifest.json")).unwrap();
    assert_eq!(manifest("whole"), manifest("linked"));
    move_out(dir, "CHARTEVENTS.csv");
    let refused = ["CHARTEVENTS.csv", OUT, "leave out --no-follow-links"];
    fail(dir, &[&ingest[..5], &["o", "--no-follow-links"]].concat(), &refused);
    fail(dir, &["check", "in", "--output", "o", "--no-follow-links"], &[OUT]);
    let told = succeed(dir, &[&ingest[..5], &["allowed"]].concat());
    assert!(
        told.contains("1 link that leads out of its folder was followed: `in/CHARTEVENTS.csv`"),
        "{told}"
    );
    assert_eq!(manifest("whole"), manifest("allowed"));
}

#[test]
fn folders_of_a_database_and_files_of_a_table_behind_links_are_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    succeed(dir, &["synth", "--database", "mimic4", "--patients", "40", "--output", "in"]);
    move_out(dir, "hosp");
    let ingest = ["ingest", "icu-first-24h", "--schema", "mimic4", "--input", "in", "--output", "o"];
    fail(dir, &[&ingest[..], &["--no-follow-links"]].concat(), &["hosp", OUT]);
    fail(dir, &["check", "in", "--output", "o", "--no-follow-links"], &[OUT]);
    succeed(dir, &ingest);

    let shards = dir.join("shards");
    fs::create_dir_all(&shards).unwrap();
    for i in 0..3 {
        let rows = (0..40).map(|r| format!("{}-{r},{}\n", i, (r * 7 + i) % 11)).collect::<Vec<_>>().concat();
        fs::write(shards.join(format!("{i}.csv")), format!("id,x\n{rows}")).unwrap();
    }
    fs::write(dir.join("secret.csv"), "id,x\n9,9\n").unwrap();
    let wide = ["ingest", "wide-table", "--input", "shards", "--output"];
    succeed(dir, &[&wide[..], &["fine"]].concat());
    symlink("../secret.csv", shards.join("3.csv")).unwrap();
    fail(dir, &[&wide[..], &["refused", "--no-follow-links"]].concat(), &["3.csv", OUT]);
    fail(dir, &["check", "shards", "--output", "refused", "--no-follow-links"], &[OUT]);
    let told = succeed(dir, &[&wide[..], &["followed"]].concat());
    assert!(told.contains("followed: `shards/3.csv`"), "{told}");
    fs::remove_file(shards.join("3.csv")).unwrap();
    symlink("nothing.csv", shards.join("3.csv")).unwrap();
    fail(dir, &[&wide[..], &["nowhere"]].concat(), &["3.csv", "leads nowhere"]);
}

#[test]
fn parts_behind_links_out_of_their_folder_are_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let rows = (0..60).map(|r| format!("{r},{}\n", r * 7 % 11)).collect::<Vec<_>>().concat();
    fs::write(dir.join("t.csv"), format!("id,x\n{rows}")).unwrap();
    for part in ["1", "2"] {
        let (part, output) = (format!("{part}/2"), format!("p{part}"));
        succeed(dir, &["ingest", "wide-table", "--input", "t.csv", "--part", &part, "--output", &output]);
    }
    let merge = |output| ["ingest", "--merge", "p1", "p2", "--output", output];
    succeed(dir, &merge("fine"));
    fs::create_dir(dir.join("elsewhere")).unwrap();
    fs::rename(dir.join("p2/rows.parquet"), dir.join("elsewhere/rows.parquet")).unwrap();
    symlink("../elsewhere/rows.parquet", dir.join("p2/rows.parquet")).unwrap();
    fail(dir, &[&merge("o")[..], &["--no-follow-links"]].concat(), &["rows.parquet", OUT]);
    // A part that is itself behind a link was named by the user.
    fs::remove_file(dir.join("p2/rows.parquet")).unwrap();
    fs::rename(dir.join("elsewhere/rows.parquet"), dir.join("p2/rows.parquet")).unwrap();
    fs::rename(dir.join("p2"), dir.join("elsewhere/p2")).unwrap();
    symlink("elsewhere/p2", dir.join("p2")).unwrap();
    succeed(dir, &merge("again"));
}
