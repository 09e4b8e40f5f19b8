//! Tests that the extract agrees with the dictionaries of the release and with the schema that reads it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::{Record, rows};
use crate::schema::{self, Source};
use crate::synth::items::{self, Item};
use crate::synth::writer::LAYOUTS;

#[test]
fn headers_are_those_of_the_release() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/mimic3-demo");
    if !demo.exists() {
        eprintln!("skipped: no {}", demo.display());
        return;
    }
    for layout in LAYOUTS {
        let file = std::fs::File::open(demo.join(format!("{}.csv.gz", layout.name))).unwrap();
        let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
        let theirs: Vec<_> = reader.headers().unwrap().iter().map(str::to_uppercase).collect();
        assert_eq!(layout.columns, theirs, "{}", layout.name);
    }
}

#[test]
fn dictionary_agrees_with_the_release() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/mimic3-demo");
    if !demo.exists() {
        eprintln!("skipped: no {}", demo.display());
        return;
    }
    for (name, columns) in [
        ("D_ITEMS", &["label", "dbsource", "linksto"][..]),
        ("D_LABITEMS", &["label", "fluid", "loinc_code"]),
    ] {
        let file = std::fs::File::open(demo.join(format!("{name}.csv.gz"))).unwrap();
        let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
        let theirs: HashMap<String, Record> =
            reader.deserialize().map(|r| r.unwrap()).map(|r: Record| (r["itemid"].clone(), r)).collect();
        for ours in rows(name) {
            let id = &ours["ITEMID"];
            for column in columns {
                assert_eq!(ours[&column.to_uppercase()], theirs[id][*column], "{name} {id} {column}");
            }
        }
    }
}

/// Items that no variable reads, on purpose: computed copies, copies of laboratory results, other scales and
/// other fluids.
fn distractors() -> BTreeSet<u64> {
    let mut out: BTreeSet<u64> = items::RHYTHM.iter().chain(&items::SEDATION).map(|i| i.id).collect();
    out.extend(
        [items::TEMPERATURE_C_CALCULATED, items::TEMPERATURE_F_CALCULATED, items::HEIGHT_CM].map(|i| i.id),
    );
    out.extend([items::SPECIMEN.0, items::URINE_GLUCOSE.0, items::URINE_PH.0]);
    for mirror in items::MIRRORS {
        out.extend(mirror.carevue.iter().map(|i| i.id));
        out.insert(mirror.metavision.id);
    }
    out
}

#[test]
fn every_item_unit_and_text_is_known_to_the_schema() {
    let schema = schema::load_schema("mimic3").unwrap();
    let distractors = distractors();
    let spelling = |unit: &str| unit.to_lowercase().replace(' ', "");
    // (table, item) → (accepted units, texts of the map)
    let mut known: HashMap<(String, u64), (Vec<String>, Vec<String>)> = HashMap::new();
    for variable in &schema.variables {
        for source in &variable.sources {
            if let Source::Events { table, items, units, .. } = source {
                for item in items {
                    // Of the tables that are looked at here, items are numbers.
                    let schema::Item::Id(id) = item else { continue };
                    let entry = known.entry((table.clone(), *id as u64)).or_default();
                    if !units.is_empty() {
                        entry.0.extend(
                            units
                                .iter()
                                .chain(variable.conversions.iter().map(|c| &c.unit))
                                .map(|u| spelling(u)),
                        );
                    }
                    entry.1.extend(variable.value_map.iter().map(|(text, _)| text.to_lowercase()));
                }
            }
        }
    }
    let tubes = ["1.0 et/trach", "no response-ett"];
    let mut problems = BTreeSet::new();
    for table in ["CHARTEVENTS", "LABEVENTS", "OUTPUTEVENTS"] {
        for row in rows(table) {
            let id: u64 = row["ITEMID"].parse().unwrap();
            match (known.get(&(table.to_owned(), id)), distractors.contains(&id)) {
                (None, true) => {}
                (None, false) => {
                    problems.insert(format!("{table} {id} is not in the schema"));
                }
                (Some(_), true) => {
                    problems.insert(format!("{table} {id} is a distractor, but the schema reads it"));
                }
                (Some((units, texts)), false) => {
                    let unit = spelling(&row["VALUEUOM"]);
                    if !unit.is_empty() && !units.is_empty() && !units.contains(&unit) {
                        problems.insert(format!("{table} {id}: unit `{unit}`"));
                    }
                    let text = row["VALUE"].to_lowercase();
                    if !texts.is_empty()
                        && !text.is_empty()
                        && !texts.contains(&text)
                        && !tubes.contains(&text.as_str())
                    {
                        problems.insert(format!("{table} {id}: text `{text}`"));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn every_written_item_is_in_the_dictionaries() {
    let ids = |table: &str| -> BTreeSet<String> { rows(table).iter().map(|r| r["ITEMID"].clone()).collect() };
    let (items, tests) = (ids("D_ITEMS"), ids("D_LABITEMS"));
    for table in ["CHARTEVENTS", "OUTPUTEVENTS", "INPUTEVENTS_CV", "INPUTEVENTS_MV"] {
        assert!(!ids(table).is_empty() && ids(table).is_subset(&items), "{table}");
    }
    assert!(ids("LABEVENTS").is_subset(&tests));
    let all: Vec<Item> = items::CHART.iter().flatten().copied().collect();
    assert_eq!(all.iter().map(|i| i.id).collect::<BTreeSet<_>>().len(), all.len(), "an item is listed twice");
}
