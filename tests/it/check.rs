//! `check`: everything in one go, and `commands.txt`, which repeats it.

use std::fs;
use std::path::Path;

use crate::pictures::write_pictures;
use crate::support::{command, fail, listing, run, succeed, table};

/// Words of a line of `commands.txt`, none of which is quoted here.
fn words(line: &str) -> Vec<&str> {
    line.split(' ').skip(1).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let files = listing(dir);
    files.iter().map(|(path, _)| path.strip_prefix(dir).unwrap().display().to_string()).collect()
}

#[test]
fn a_table_is_checked_in_ten_lines_and_the_commands_repeat_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut text = table(300, 1);
    // A decimal slip that has to be among the most unusual records.
    text.push_str("slip,80,1250,87.0,15,F,1.1\n");
    fs::write(dir.join("table.csv"), text).unwrap();
    let output = run(dir, &["check", "table.csv", "--time-budget", "5s"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stdout.lines().count(), 10, "{stdout}");
    for part in
        ["301 records of 6 features", "left out", "nats per held-out record", "slip (p = ", "report.html"]
    {
        assert!(stdout.contains(part), "{part} is not in\n{stdout}");
    }
    let check = dir.join("out/check");
    assert_eq!(fs::read_to_string(check.join("summary.txt")).unwrap(), stdout);

    let made = names(&check);
    let commands = fs::read_to_string(check.join("commands.txt")).unwrap();
    fs::rename(&check, dir.join("first")).unwrap();
    for line in commands.lines().filter(|line| !line.starts_with('#')) {
        succeed(dir, &words(line));
    }
    let again = names(&check);
    let by_commands: Vec<&String> =
        made.iter().filter(|name| !["summary.txt", "commands.txt"].contains(&name.as_str())).collect();
    assert_eq!(again.iter().collect::<Vec<_>>(), by_commands);
    let same =
        |file: &str| fs::read(check.join(file)).unwrap() == fs::read(dir.join("first").join(file)).unwrap();
    assert!(same("bundle/manifest.json") && same("bundle/tensor.safetensors") && same("bundle/audit.json"));

    fail(dir, &["check", "table.csv"], &["exists", "--force"]);
}

#[test]
fn new_records_are_flagged_and_other_programs_get_json() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    fs::write(dir.join("table.csv"), table(300, 1)).unwrap();
    let mut new = table(20, 2);
    new.push_str("slip,80,1250,87.0,15,F,1.1\n");
    fs::write(dir.join("new.csv"), new).unwrap();
    let args = ["check", "table.csv", "--new", "new.csv", "--time-budget", "3s", "--json", "--output", "out"];
    let output = command(dir, &args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["n_records"], 21);
    assert!(summary["most_unusual"][0].as_str().unwrap().starts_with("slip (p = "), "{summary}");
    let commands = fs::read_to_string(dir.join("out/commands.txt")).unwrap();
    assert!(commands.contains("--input new.csv"), "{commands}");
}

#[test]
fn what_is_no_data_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    fail(dir, &["check", "nothing.csv"], &["nothing.csv"]);
    fs::create_dir(dir.join("several")).unwrap();
    for name in ["one.csv", "two.csv"] {
        fs::write(dir.join("several").join(name), "x,y\n1,2\n").unwrap();
    }
    fail(dir, &["check", "several", "--output", "checked"], &["one.csv, two.csv", "hint"]);
}

#[test]
fn pictures_are_checked_with_maps_and_without_a_mixture() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    write_pictures(&dir.join("p-images-idx3-ubyte"), 300, 6);
    let output = run(dir, &["check", "p-images-idx3-ubyte", "--time-budget", "3s"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stdout.lines().count(), 10, "{stdout}");
    for part in ["300 pictures of 8 × 8 pixels", "bits per number", "its map in the folder maps"] {
        assert!(stdout.contains(part), "{part} is not in\n{stdout}");
    }
    let made = names(&dir.join("out/check"));
    assert!(
        made.iter()
            .any(|name| name.starts_with("maps/")
                && Path::new(name).extension().is_some_and(|end| end == "png")),
        "{made:?}"
    );
    assert!(!made.iter().any(|name| name.starts_with("mixture")), "{made:?}");
    let commands = fs::read_to_string(dir.join("out/check/commands.txt")).unwrap();
    assert!(commands.contains("ingest images --input p-images-idx3-ubyte"), "{commands}");
    assert!(commands.contains("--maps out/check/maps"), "{commands}");
}

#[test]
fn what_is_told_of_a_table_can_be_set_and_what_is_not_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    // A code for missing, and a column that hardly any record has a value of.
    let mut text = String::new();
    for (i, line) in table(300, 1).lines().enumerate() {
        let cells = match i {
            0 => "code,rare".to_owned(),
            _ => format!("{},{}", if i % 20 == 0 { 99 } else { i % 5 }, if i == 7 { "3.5" } else { "" }),
        };
        text.extend([line, ",", &cells, "\n"]);
    }
    fs::write(dir.join("table.csv"), text).unwrap();
    let args = ["check", "table.csv", "--time-budget", "3s", "--set", "missing.code=99"];
    let output = run(dir, &args);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!stdout.contains("pass --set missing.code"), "{stdout}");
    assert!(stdout.contains("1 feature with too few values (rare)"), "{stdout}");
    let commands = fs::read_to_string(dir.join("out/check/commands.txt")).unwrap();
    assert!(commands.contains("--set missing.code=99"), "{commands}");
    let args = ["check", "table.csv", "--set", "role.nowhere=count", "--output", "other"];
    fail(dir, &args, &["nowhere"]);
    assert!(!dir.join("other").exists());
}
