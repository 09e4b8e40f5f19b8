//! A record's score, p-value and flag are its own: rows in any order and in any division over files give the
//! same, and the flags of parts that are merged are those of one run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cohort_flow::evaluate::ScoreKind;
use cohort_flow::features::DrawsBy;
use cohort_flow::ingest::NoProgress;
use cohort_flow::outlier::Rule;
use cohort_flow::pipeline::{FlagRequest, RecordsSource, flag};
use cohort_flow::random::Seed;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{bundle, fail, succeed, table};

/// New records, a few of them strange and two of them copies.
fn records() -> (String, Vec<String>) {
    let text = table(60, 9);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let header = lines.remove(0);
    for (i, line) in lines.iter_mut().enumerate().filter(|(i, _)| i % 9 == 0) {
        let mut cells: Vec<&str> = line.split(',').collect();
        let wrong = (500 + i).to_string();
        cells[1] = &wrong;
        *line = cells.join(",");
    }
    let copy = lines[9].replacen("p9,", "copy,", 1);
    lines.push(copy);
    (header, lines)
}

fn flags(dir: &Path, input: &Path) -> BTreeMap<String, Vec<String>> {
    let output = dir.join("flags.csv");
    let request = FlagRequest {
        draws_by: DrawsBy::default(),
        draws: None,
        model: &dir.join("model"),
        records: RecordsSource::Table(input),
        output: &output,
        force: true,
        rule: Rule::Fdr(0.2),
        score: ScoreKind::Combined,
        explain: 2,
        also_explain: 0,
        top: None,
        maps: None,
        json: None,
        reference: None,
        seed: Seed(1),
    };
    flag(&request, &NoProgress).unwrap();
    let mut reader = csv::Reader::from_path(&output).unwrap();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    rows.map(|row| (row[0].clone(), row)).collect()
}

#[test]
fn rows_in_any_order_and_any_files_have_the_same_scores_p_values_and_flags() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    bundle(here, 600);
    succeed(here, &["fit", "bundle", "--model", "gmm", "--output", "model"]);
    let (header, lines) = records();
    let whole = here.join("whole.csv");
    fs::write(&whole, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
    let expected = flags(here, &whole);
    assert_eq!(expected.len(), lines.len());
    let flagged = expected.values().filter(|row| row.iter().any(|cell| cell == "true")).count();
    assert!((3..30).contains(&flagged), "{flagged} records are flagged");
    let order = Just((0..lines.len()).collect::<Vec<_>>()).prop_shuffle();
    let cuts = proptest::collection::btree_set(1..lines.len(), 0..4);
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 12, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let tried = runner.run(&(order, cuts), |(order, cuts)| {
        let folder = here.join("parts");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let ends = cuts.iter().copied().chain([order.len()]);
        let mut from = 0;
        for (i, to) in ends.enumerate() {
            let rows: Vec<&str> = order[from..to].iter().map(|&at| lines[at].as_str()).collect();
            fs::write(folder.join(format!("part-{i}.csv")), format!("{header}\n{}\n", rows.join("\n")))
                .unwrap();
            from = to;
        }
        prop_assert_eq!(&flags(here, &folder), &expected);
        Ok(())
    });
    tried.unwrap();
}

#[test]
fn flags_of_parts_that_are_merged_are_those_of_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    bundle(here, 600);
    succeed(here, &["fit", "bundle", "--model", "gmm", "--output", "model"]);
    let (header, lines) = records();
    let write = |name: &str, lines: &[String]| {
        fs::write(here.join(name), format!("{header}\n{}\n", lines.join("\n"))).unwrap();
    };
    write("whole.csv", &lines);
    let flag = ["flag", "model", "--input"];
    succeed(here, &[&flag[..], &["whole.csv", "--fdr", "0.2", "--output", "flags.csv"]].concat());
    let mut parts = Vec::new();
    for (i, lines) in lines.chunks(25).enumerate() {
        let (table, json, output) = (format!("t{i}.csv"), format!("part-{i}.jsonl"), format!("part-{i}.csv"));
        write(&table, lines);
        let args = [&table, "--alpha", "0.2", "--json", &json, "--output", &output];
        succeed(here, &[&flag[..], &args].concat());
        parts.push(json);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let merge = |more: &[&'static str]| {
        let mut args = vec!["flag", "--merge"];
        args.extend(&parts);
        args.extend(more);
        args
    };
    succeed(here, &merge(&["--fdr", "0.2", "--output", "merged.csv"]));
    let read = |name: &str| fs::read_to_string(here.join(name)).unwrap();
    assert_eq!(read("flags.csv"), read("merged.csv"));
    assert!(read("merged.csv").contains("true"), "some are flagged");
    // A part that was flagged at a smaller level lacks explanations, and that is told.
    succeed(
        here,
        &[&flag[..], &["t0.csv", "--alpha", "0.0001", "--json", "few.jsonl", "--output", "f.csv"]].concat(),
    );
    let told = succeed(here, &["flag", "--merge", "few.jsonl", "--fdr", "0.2", "--output", "few.csv"]);
    assert!(told.contains("no explanation") && told.contains("--alpha"), "{told}");
    fail(here, &merge(&["part-0.jsonl", "--output", "twice.csv"]), &["part-0.jsonl is named twice"]);
    fail(here, &["flag", "--merge", "t0.csv", "--output", "x.csv"], &["line 1 is no record of flags"]);
    let text = read("part-0.jsonl");
    fs::write(here.join("cut.jsonl"), &text[..text.len() - 9]).unwrap();
    fail(here, &["flag", "--merge", "cut.jsonl", "--output", "x.csv"], &["cut.jsonl: line 25 is no record"]);
}
