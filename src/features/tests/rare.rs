//! Levels of too few training patients have no name in a bundle's encoder, and therefore none in a model.

use super::*;

/// A table of one text column beside a number, with these texts, patients and splits.
fn table_of(texts: &[&str], patients: Option<&[&str]>) -> RecordTable {
    let n = texts.len();
    let named = |texts: &[&str]| {
        let mut all = Texts::default();
        texts.iter().for_each(|text| all.push(Some(text)));
        all
    };
    let mut table = super::table(n);
    table.columns.truncate(1);
    table.columns[0].cells = Cells::Number((0..n).map(|i| (i % 7) as f64).collect());
    table.columns.push(column("ward", Kind::Categorical, None, Cells::Text(named(texts))));
    table.subjects = patients.map_or(Subjects::Records, |names| Subjects::Named(named(names)));
    table
}

fn fitted(table: &RecordTable, splits: &[Split], least: u32) -> (Encoder, Vec<FeatureWarning>) {
    let pipeline = Pipeline { min_level_patients: least, ..pipeline(TransformKind::NormalScore, true) };
    Encoder::fit(table, splits, &pipeline).unwrap()
}

const TEXTS: [&str; 10] = ["a", "a", "a", "b", "b", "b", "c", "d", "a", "b"];

#[test]
fn levels_of_few_patients_are_one_level_without_a_name() {
    let table = table_of(&TEXTS, None);
    let (encoder, warnings) = fitted(&table, &[Split::Train; 10], 3);
    let ward = &encoder.columns[1];
    assert_eq!((ward.levels.as_slice(), ward.rare_levels), (&["a".to_owned(), "b".to_owned()][..], 2));
    let told = warnings.iter().map(ToString::to_string).find(|text| text.contains("ward")).unwrap();
    assert!(told.contains("2 levels of fewer than 3") && told.contains("2 training records"), "{told}");
    let text = serde_json::to_string(&encoder).unwrap();
    assert!(!text.contains("\"c\"") && !text.contains("\"d\""), "{text}");
    let raw = encoder.raw(&table).unwrap();
    let codes: Vec<f64> = raw.column(1).to_vec();
    assert_eq!(codes, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 0.0, 1.0]);
    assert_eq!((encoder.level_name(1, 2.0), encoder.level_name(1, 3.0)), (Some(RARE_LEVEL), None));
    // A level never met is one of them: what it is tells as much, or as little, as they do.
    let new = table_of(&["never met"; 10], None);
    assert_eq!(encoder.raw(&new).unwrap()[(0, 1)], 2.0);
}

#[test]
fn patients_are_counted_and_not_their_records() {
    let patients = ["p", "q", "r", "s", "s", "s", "t", "t", "p", "s"];
    let table = table_of(&TEXTS, Some(&patients));
    let (encoder, _) = fitted(&table, &[Split::Train; 10], 3);
    // `b` has four records, all of one patient.
    assert_eq!((encoder.columns[1].levels.len(), encoder.columns[1].rare_levels), (1, 3));
    let copies =
        RecordTable { subjects: Subjects::Copies(vec![(1, 0), (2, 0), (8, 0)]), ..table_of(&TEXTS, None) };
    let (encoder, _) = fitted(&copies, &[Split::Train; 10], 3);
    assert_eq!(encoder.columns[1].levels, ["b"]);
}

#[test]
fn records_outside_the_training_split_give_no_level_a_name() {
    let mut splits = [Split::Train; 10];
    (splits[8], splits[9]) = (Split::Test, Split::Test);
    let (encoder, _) = fitted(&table_of(&TEXTS, None), &splits, 4);
    // Without them `a` and `b` have three patients each: no level is left, and neither is the column.
    assert_eq!(encoder.columns.len(), 1);
    let (encoder, _) = fitted(&table_of(&TEXTS, None), &[Split::Train; 10], 4);
    assert_eq!(encoder.columns[1].levels, ["a", "b"]);
}

#[test]
fn one_patient_is_enough_where_it_is_asked_for() {
    let (encoder, warnings) = fitted(&table_of(&TEXTS, None), &[Split::Train; 10], 1);
    assert_eq!((encoder.columns[1].levels.len(), encoder.columns[1].rare_levels), (4, 0));
    assert!(!warnings.iter().any(|w| w.to_string().contains("fewer than")), "{warnings:?}");
}
