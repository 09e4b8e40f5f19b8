//! Stays that follow each other closely, joined into one record, and items that an extract relates to others.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{fail, run, succeed};

const PIPELINE: &str = r#"
name = "stays"
schema = "SCHEMA.toml"
features = ["pulse:count", "pulse:max", "unit", "los"]
labels = []
[window]
end = 72
until_end = true
"#;

/// Stays with dates; patient 1 is moved to another unit after three hours and comes back days later.
const DATED: &str = r#"
name = "dated"
[record]
table = "stays"
id = "stay"
subject = "patient"
start = "begin"
end = "end"
[record.episodes]
within = "admission"
gap = 6
last = ["unit"]
total = ["los"]
[tables.stays.columns]
stay = "integer"
patient = "integer"
admission = "integer"
begin = "datetime"
end = "datetime"
unit = "text"
los = "float"
[tables.chart.columns]
stay = "integer"
time = "datetime"
item = "text"
value = "float"
[tables.chart.events]
record = "stay"
time = "time"
item = "item"
value = "value"
[variables.pulse]
unit = "bpm"
sources = [{ table = "chart", items = ["pulse"] }]
[variables.unit]
kind = "categorical"
sources = [{ table = "stays", column = "unit" }]
[variables.los]
unit = "days"
sources = [{ table = "stays", column = "los" }]
"#;

/// The same stays on clocks of their own.
fn on_own_clocks() -> String {
    DATED
        .replace("name = \"dated\"", "name = \"minutes\"")
        .replace("start = \"begin\"\n", "")
        .replace("within = \"admission\"", "within = \"admission\"\nmoment = \"begin\"")
        .replace("datetime", "minutes")
}

/// Stay, patient, admission, and its hours from the admission.
const STAYS: [(u32, u32, u32, i64, i64, &str); 6] = [
    (11, 1, 100, 2, 10, "A"),
    (12, 1, 100, 13, 30, "B"),
    (13, 1, 100, 90, 95, "A"),
    (21, 2, 200, 0, 24, "B"),
    // The next admission of the same patient, an hour later, is another episode.
    (22, 2, 201, 25, 40, "A"),
    (31, 3, 300, 5, 20, "A"),
];

/// Patients of the same kind, with other numbers, so that each split has some.
const COPIES: u32 = 25;

fn write(dir: &Path, dated: bool) {
    let hour = |h: i64| format!("2130-01-{:02} {:02}:00:00", 1 + h / 24, h % 24);
    let mut stays = "stay,patient,admission,begin,end,unit,los\n".to_owned();
    let mut chart = "stay,time,item,value\n".to_owned();
    for (copy, (stay, patient, admission, begin, end, unit)) in
        (0..COPIES).flat_map(|copy| STAYS.map(|stay| (copy, stay)))
    {
        let (stay, patient, admission) = (stay + 1000 * copy, patient + 1000 * copy, admission + 1000 * copy);
        let (from, to) = if dated {
            (hour(begin), hour(end))
        } else {
            ((-60 * begin).to_string(), (60 * (end - begin)).to_string())
        };
        let los = (end - begin) as f64 / 24.0;
        writeln!(stays, "{stay},{patient},{admission},{from},{to},{unit},{los}").unwrap();
        for h in begin..=end {
            let time = if dated { hour(h) } else { (60 * (h - begin)).to_string() };
            writeln!(chart, "{stay},{time},pulse,{}", 50 + h).unwrap();
        }
    }
    fs::write(dir.join("stays.csv"), stays).unwrap();
    fs::write(dir.join("chart.csv"), chart).unwrap();
}

/// Rows of an exported bundle by record.
fn rows(dir: &Path, bundle: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    succeed(dir, &["export", bundle, "--output", "rows.csv", "--force"]);
    let text = fs::read_to_string(dir.join("rows.csv")).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let row = |line: &str| -> BTreeMap<String, String> {
        header.iter().zip(line.split(',')).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect()
    };
    text.lines().skip(1).map(row).map(|row| (row["record_id"].clone(), row)).collect()
}

#[test]
fn stays_within_the_gap_are_one_record_whatever_their_clock() {
    for dated in [true, false] {
        let work = tempfile::tempdir().unwrap();
        let dir = work.path();
        write(dir, dated);
        let (name, schema) = if dated { ("dated", DATED.to_owned()) } else { ("minutes", on_own_clocks()) };
        fs::write(dir.join(format!("{name}.toml")), &schema).unwrap();
        fs::write(dir.join("pipeline.toml"), PIPELINE.replace("SCHEMA", name)).unwrap();
        let ingest = ["ingest", "pipeline.toml", "--input", ".", "--force", "--output"];
        succeed(dir, &[&ingest[..], &["apart"]].concat());
        assert_eq!(rows(dir, "apart").len(), 150);
        let said = succeed(dir, &[&ingest[..], &["joined", "--set", "episodes=true"]].concat());
        assert!(said.contains("150 stays made 125 episodes"), "{said}");
        let joined = rows(dir, "joined");
        let ids = joined.keys().filter(|id| id.len() == 2);
        assert!(ids.eq(["11", "13", "21", "22", "31"]), "{:?}", joined.keys());
        let first = &joined["11"];
        // Hours 2 to 10 and 13 to 30, of which the last is the largest; the unit is the last one.
        assert_eq!(first["pulse_count"].parse::<f64>().unwrap(), 27.0, "{first:?}");
        assert_eq!(first["pulse_max"].parse::<f64>().unwrap(), 80.0);
        assert_eq!(first["unit"], "B");
        assert!((first["los"].parse::<f64>().unwrap() - 25.0 / 24.0).abs() < 1e-9, "{first:?}");
        assert_eq!(joined["31"]["unit"], "A");
        // A stay that has no record of its own is explained by its episode.
        let explain = ["--explain", "pulse", "--stay", "12", "--set", "episodes=true"];
        succeed(dir, &[&["ingest", "pipeline.toml", "--input", "."][..], &explain].concat());
        let shown = run(dir, &["schema", "show", &format!("{name}.toml")]).stdout;
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("stays of one admission are one record"), "{shown}");
    }
}

#[test]
fn episodes_that_nothing_declares_are_refused() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    write(dir, true);
    let without =
        DATED.replace("within = \"admission\"\ngap = 6\nlast = [\"unit\"]\ntotal = [\"los\"]\n", "");
    fs::write(dir.join("dated.toml"), without.replace("[record.episodes]\n", "")).unwrap();
    fs::write(dir.join("pipeline.toml"), PIPELINE.replace("SCHEMA", "dated")).unwrap();
    let ingest = ["ingest", "pipeline.toml", "--input", ".", "--output", "x", "--set", "episodes=true"];
    fail(dir, &ingest, &["does not say which make one", "episodes = {"]);
    // All that is wrong with a declaration is told at once.
    let wrong = DATED
        .replace("gap = 6", "gap = -1")
        .replace("total = [\"los\"]", "total = [\"unit\"]\nmoment = \"begin\"")
        .replace("within = \"admission\"", "within = \"admision\"");
    fs::write(dir.join("dated.toml"), wrong).unwrap();
    let told = ["0 or more", "did you mean `admission`", "only numbers add up", "no meaning beside `start`"];
    let said = run(dir, &["schema", "check", "dated.toml"]);
    let text = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{text}");
    told.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not in\n{text}"));
}

const VISITS: &str = r#"
name = "visits"
[record]
table = "visit"
id = "visit"
subject = "person"
start = "begin"
end = "end"
[tables.visit.columns]
visit = "integer"
person = "integer"
begin = "datetime"
end = "datetime"
[tables.drug.columns]
visit = "integer"
time = "datetime"
drug = "integer"
dose = "float"
[tables.drug.events]
record = "visit"
time = "time"
item = "drug"
value = "dose"
related = [
  { files = ["concept"], from = ["vocabulary_id", "concept_code"], to = "concept_id" },
  { files = ["concept_ancestor"], from = ["ancestor_concept_id"], to = "descendant_concept_id" },
]
[variables.antibiotic]
unit = "mg"
sources = [{ table = "drug", items = ["ATC//J01"] }]
[variables.penicillin]
unit = "mg"
sources = [{ table = "drug", items = [30] }]
[variables.unheard]
unit = "mg"
sources = [{ table = "drug", items = ["ATC//X99", 99] }]
"#;

#[test]
fn descendants_of_a_concept_count_like_it() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    let mut visit = "visit,person,begin,end\n".to_owned();
    let mut drug = "visit,time,drug,dose\n".to_owned();
    for v in 1..=60 {
        writeln!(visit, "{v},{v},2130-01-01 00:00:00,2130-01-03 00:00:00").unwrap();
        // The class itself, a child, a grandchild by the code of another vocabulary, one that is named for itself,
        // one below both, and a stranger.
        for (item, dose) in [(10, 1), (20, 2), (21, 4), (30, 8), (31, 16), (40, 32), (99, 64)] {
            writeln!(drug, "{v},2130-01-01 0{}:00:00,{item},{dose}", dose % 9).unwrap();
        }
    }
    fs::write(dir.join("VISIT.csv"), visit).unwrap();
    fs::write(dir.join("DRUG.csv"), drug).unwrap();
    let concept = "concept_id,concept_name,vocabulary_id,concept_code\n10,Antibacterials,ATC,J01\n\
                   20,Cephalosporins,ATC,J01D\n40,Aspirin,ATC,B01\n";
    fs::write(dir.join("CONCEPT.csv"), concept).unwrap();
    let ancestor = "ancestor_concept_id,descendant_concept_id,min_levels_of_separation\n10,10,0\n10,20,1\n\
                    10,21,2\n20,21,1\n10,30,1\n30,31,1\n10,31,2\n";
    fs::write(dir.join("CONCEPT_ANCESTOR.csv"), ancestor).unwrap();
    fs::write(dir.join("visits.toml"), VISITS).unwrap();
    let features = "features = [\"antibiotic:sum\", \"penicillin:sum\", \"unheard:sum\"]";
    let pipeline = PIPELINE.replace("SCHEMA", "visits");
    let pipeline: Vec<&str> =
        pipeline.lines().map(|line| if line.starts_with("features") { features } else { line }).collect();
    fs::write(dir.join("pipeline.toml"), pipeline.join("\n")).unwrap();
    let ingest = ["ingest", "pipeline.toml", "--input", ".", "--output", "bundle", "--force"];
    let said = succeed(dir, &ingest).split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "1 item of concept counts as",
        "2 items of concept_ancestor count as",
        "1 item of concept_ancestor relates to items of several variables, and is left out: 31",
        "1 code was found in no relation: ATC//X99",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    let first = &rows(dir, "bundle")["1"];
    let sum = |name: &str| first[&format!("{name}_sum")].parse::<f64>().unwrap();
    assert_eq!((sum("antibiotic"), sum("penicillin"), sum("unheard")), (7.0, 8.0, 64.0), "{first:?}");
    // The files of the relations are among the inputs.
    let manifest = fs::read_to_string(dir.join("bundle/manifest.json")).unwrap();
    assert!(manifest.contains("CONCEPT_ANCESTOR.csv"));

    // Without the vocabulary, the numbers that are named are left.
    fs::remove_file(dir.join("CONCEPT.csv")).unwrap();
    fs::remove_file(dir.join("CONCEPT_ANCESTOR.csv")).unwrap();
    let said = succeed(dir, &ingest).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("there is no file concept_ancestor") && said.contains("ATC//J01, ATC//X99"),
        "{said}"
    );
}
