use ndarray::{Array2, ArrayView2};

use super::*;
use crate::evaluate::{Landmarks, Score, ScoreKind, score_records};
use crate::ingest::{Audit, Cells, Column, RecordTable};
use crate::outlier::Rule;
use crate::outlier::score::calibration_scores;
use crate::outlier::testing::{HEIGHT, Normal, TEMPERATURE, VITALS, WEIGHT, patients};
use crate::outlier::{Label, Pattern, evaluate};
use crate::random::Seed;
use crate::schema::{Kind, Pipeline, Split, TransformKind};

/// 2,000 training patients with vital signs and a sex that nothing depends on, coordinates standardised so
/// that the true density is known.
struct World {
    encoder: Encoder,
    density: Normal,
    calibration: Vec<f64>,
}

fn table(rows: ArrayView2<'_, f64>) -> RecordTable {
    let ids: Vec<String> = (0..rows.nrows()).map(|i| format!("stay {i}")).collect();
    let columns = VITALS
        .iter()
        .zip(rows.columns())
        .map(|(&(name, unit, _, _, resolution), values)| Column {
            name: name.into(),
            label: String::new(),
            group: "vitals".into(),
            unit: unit.into(),
            kind: Kind::Continuous,
            resolution: Some(resolution),
            range: None,
            spelling: crate::ingest::Spelling::undeclared(),
            cells: Cells::Number(values.iter().copied().collect()),
        })
        .collect();
    let (record_ids, subjects) = (ids.into(), crate::ingest::Subjects::Records);
    RecordTable { record_ids, subjects, splits: None, columns, labels: Vec::new(), audit: Audit::default() }
}

fn world() -> World {
    let training = table(patients(2000, Seed(1)).view());
    let pipeline = Pipeline { transform: TransformKind::Standardize, dequantize: true, ..pipeline() };
    let (encoder, _) = Encoder::fit(&training, &[Split::Train; 2000], &pipeline).unwrap();
    let density = Normal::vitals();
    let rows = patients(999, Seed(2));
    let calibration = calibration_scores(&density, &encoder, rows.view(), &Score::default(), 4, Seed(3));
    World { encoder, density, calibration }
}

fn options(rule: Rule) -> FlagOptions {
    FlagOptions { rule, draws: 4, seed: Seed(4), ..FlagOptions::default() }
}

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("r{i}")).collect()
}

/// 200 patients; every tenth has a weight in pounds, every tenth plus one a height in inches.
fn spoiled() -> (Array2<f64>, Vec<Label>) {
    let mut rows = patients(200, Seed(5));
    let mut labels = vec![Label::default(); 200];
    for i in (0..200).step_by(10) {
        rows[(i, WEIGHT)] *= 2.204_62;
        labels[i] = Label { kind: Some("lb".into()), features: vec!["weight".into()] };
        rows[(i + 1, HEIGHT)] /= 2.54;
        labels[i + 1] = Label { kind: Some("inch".into()), features: vec!["height".into()] };
    }
    (rows, labels)
}

#[test]
fn spoiled_records_are_flagged_and_explained_in_order() {
    let w = world();
    let (rows, labels) = spoiled();
    let ids = ids(200);
    let flags =
        flag(&w.density, &w.encoder, &w.calibration, rows.view(), &ids, &options(Rule::Fdr(0.1))).unwrap();
    assert!(flags.rows.iter().map(|r| &r.record_id).eq(&ids));
    let e = evaluate(&flags, &labels).unwrap();
    assert!(e.auroc > 0.95 && e.recall > 0.8 && e.false_discovery_proportion < 0.2, "{e:?}");
    let inch = e.by_kind.iter().find(|k| k.kind == "inch").unwrap();
    assert_eq!((inch.recall, inch.n_named_first), (1.0, 20), "{inch:?}");
    let row = &flags.rows[1];
    assert_eq!(row.explanations[0].pattern, Some(Pattern::Unit("inch".into())));
    assert!(row.sentence.contains("height") && row.sentence.contains("looks like inch"), "{}", row.sentence);
    assert!(row.log_prob == -row.score && row.q_value >= row.p_value);
    assert!(flags.rows.iter().all(|r| r.flagged != r.explanations.is_empty()));
}

#[test]
fn any_number_of_threads_gives_the_same_flags() {
    let w = world();
    let (rows, _) = spoiled();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = options(Rule::Alpha(0.05));
        pool.install(|| {
            flag(&w.density, &w.encoder, &w.calibration, rows.view(), &ids(200), &options).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

/// p-values of fresh ordinary rows under the noise of scoring: the share below α is α up to binomial error.
#[test]
fn ordinary_rows_are_flagged_at_the_level() {
    let w = world();
    let rows = patients(4000, Seed(6));
    let options = FlagOptions { explain_top: 0, ..options(Rule::Alpha(0.1)) };
    let flags = flag(&w.density, &w.encoder, &w.calibration, rows.view(), &ids(4000), &options).unwrap();
    let share = flags.rows.iter().filter(|r| r.flagged).count() as f64 / 4000.0;
    // Standard error 0.0047 of the rows and 0.0095 of the 999 calibration records.
    assert!((share - 0.1).abs() < 3.0 * 0.0106, "{share}");
    assert!(flags.rows.iter().all(|r| r.explanations.is_empty() && r.sentence.is_empty()));
}

#[test]
fn no_rows_and_one_row_are_tables_too() {
    let w = world();
    let none = Array2::zeros((0, 7));
    let flags =
        flag(&w.density, &w.encoder, &w.calibration, none.view(), &[], &options(Rule::Fdr(0.05))).unwrap();
    assert!(flags.rows.is_empty() && flags.warnings.is_empty());
    let mut csv = Vec::new();
    flags.write_csv(&mut csv).unwrap();
    assert_eq!(String::from_utf8(csv).unwrap().lines().count(), 1);
    let mut one = patients(1, Seed(7));
    one[(0, TEMPERATURE)] = 98.6;
    let flags =
        flag(&w.density, &w.encoder, &w.calibration, one.view(), &ids(1), &options(Rule::Fdr(0.05))).unwrap();
    assert!(flags.rows[0].flagged && flags.rows[0].p_value == 0.001 && flags.rows[0].q_value == 0.001);
    assert!(flags.rows[0].sentence.contains("looks like °F"), "{}", flags.rows[0].sentence);
}

#[test]
fn records_without_values_are_scored_and_blame_nothing() {
    let w = world();
    let empty = Array2::from_elem((2, 7), f64::NAN);
    let options = FlagOptions { also_explain: 2, ..options(Rule::Alpha(0.01)) };
    let flags = flag(&w.density, &w.encoder, &w.calibration, empty.view(), &ids(2), &options).unwrap();
    for row in &flags.rows {
        assert!(row.score.is_finite() && row.explanations.is_empty());
        assert!(row.sentence.starts_with("no value is recorded"));
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let w = world();
    let rows = patients(2, Seed(8));
    let run = |calibration: &[f64], rows: ArrayView2<'_, f64>, n_ids, rule| {
        flag(&w.density, &w.encoder, calibration, rows, &ids(n_ids), &options(rule)).unwrap_err()
    };
    let all = rows.view();
    assert_eq!(run(&[], all, 2, Rule::Fdr(0.05)), OutlierError::NoCalibration);
    assert!(matches!(
        run(&w.calibration, all, 3, Rule::Fdr(0.05)),
        OutlierError::Length { got: 3, expected: 2, .. }
    ));
    assert!(matches!(run(&w.calibration, all, 2, Rule::Alpha(1.0)), OutlierError::Level { .. }));
    let narrow = rows.view().split_at(ndarray::Axis(1), 5).0;
    assert_eq!(
        run(&w.calibration, narrow, 2, Rule::Fdr(0.05)),
        OutlierError::Columns { got: 5, expected: 7 }
    );
}

#[test]
fn explanations_are_limited_to_the_most_unusual_and_say_so() {
    let w = world();
    let (rows, _) = spoiled();
    let options = FlagOptions { max_explained: 3, ..options(Rule::Fdr(0.1)) };
    let flags = flag(&w.density, &w.encoder, &w.calibration, rows.view(), &ids(200), &options).unwrap();
    let explained: Vec<f64> = flags.rows.iter().filter(|r| !r.sentence.is_empty()).map(|r| r.score).collect();
    let mut scores: Vec<f64> = flags.rows.iter().map(|r| r.score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    assert!(explained.len() == 3 && explained.iter().all(|s| *s >= scores[2]));
    assert!(flags.warnings.iter().any(|w| matches!(w, Warning::ExplanationsLimited { explained: 3, .. })));
}

#[test]
fn csv_holds_a_group_of_columns_per_explanation() {
    let w = world();
    let mut rows = patients(3, Seed(9));
    rows[(1, TEMPERATURE)] = 100.4;
    let options = FlagOptions { explain_top: 2, ..options(Rule::Alpha(0.01)) };
    let flags = flag(&w.density, &w.encoder, &w.calibration, rows.view(), &ids(3), &options).unwrap();
    let mut csv = Vec::new();
    flags.write_csv(&mut csv).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(
        header[..8],
        ["record_id", "log_prob", "score", "p_value", "q_value", "flagged", "explanation", "unusual_by"]
    );
    let group = ["feature", "observed", "suggested", "expected", "gain", "pattern"];
    assert!(header[8..14].iter().zip(group).all(|(h, g)| *h == format!("{g}_1")) && header.len() == 20);
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(
        (&records[1][0], &records[1][3], &records[1][5], &records[1][8], &records[1][9], &records[1][13]),
        ("r1", "0.001", "true", "temperature", "100.4", "°F")
    );
    // A score of one measure has no reasons.
    assert!(records.iter().all(|r| r[7].is_empty()) && records[0][8].is_empty() && records[0][12].is_empty());
}

#[test]
fn the_combined_score_is_calibrated_as_well() {
    let w = world();
    let reference = patients(500, Seed(12));
    let scores = score_records(&w.density, &w.encoder, reference.view(), 4, Seed(3));
    let score = Score::combined(
        &w.encoder,
        reference.view(),
        &scores,
        Landmarks::fit(&w.encoder, reference.view()),
        None,
    );
    let calibration =
        calibration_scores(&w.density, &w.encoder, patients(999, Seed(2)).view(), &score, 4, Seed(3));
    let options = FlagOptions { score, ..options(Rule::Alpha(0.1)) };
    let rows = patients(2000, Seed(13));
    let flags = flag(&w.density, &w.encoder, &calibration, rows.view(), &ids(2000), &options).unwrap();
    let flagged: Vec<&FlagRow> = flags.rows.iter().filter(|r| r.flagged).collect();
    let share = flagged.len() as f64 / 2000.0;
    assert!(flagged.iter().all(|r| r.reasons.len() == 5 && r.reasons[0].tail < 0.5), "{flagged:?}");
    assert!((share - 0.1).abs() < 3.0 * 0.0116, "{share}");
}

fn pipeline() -> Pipeline {
    Pipeline {
        name: "test".into(),
        title: String::new(),
        schema: String::new(),
        labels: Vec::new(),
        missing_parts: crate::schema::MissingParts::Normal,
        left_out: Vec::new(),
        episodes: false,
        rules: vec![],
        window: crate::schema::Window { end_hours: 24.0, ..Default::default() },
        features: vec![],
        wide: None,
        waveform: None,
        grid: None,
        transform: TransformKind::Standardize,
        dequantize: true,
        min_observed: 0.0,
        min_level_patients: 1,
        split: crate::schema::SplitFractions::default(),
        seed: 0,
    }
}

/// Kolmogorov–Smirnov over 20 seeds of fresh calibration and test records, for each score that `flag` offers:
/// with 999 + 500 records the distance exceeds 1.63·√(1/999 + 1/500) = 0.089 once in a hundred times, so that
/// three of twenty do one run in a thousand.
#[test]
fn p_values_of_clean_records_are_uniform_over_twenty_seeds_for_every_score() {
    let w = world();
    let reference = patients(500, Seed(12));
    let scores = score_records(&w.density, &w.encoder, reference.view(), 4, Seed(3));
    let landmarks = Landmarks::fit(&w.encoder, patients(600, Seed(14)).view());
    let score = Score::combined(&w.encoder, reference.view(), &scores, landmarks, None);
    let mut exceeded = std::collections::BTreeMap::new();
    for seed in 0..20 {
        let drawn = |n: usize, stream: u64| {
            let rows = patients(n, Seed(1000 + 2 * seed + stream));
            let scores = score_records(&w.density, &w.encoder, rows.view(), 4, Seed(3 + stream));
            (rows, scores)
        };
        let (calibration, test) = (drawn(999, 0), drawn(500, 1));
        for kind in ScoreKind::ALL.into_iter().filter(|kind| !ScoreKind::OF_PICTURES.contains(kind)) {
            let Some(score) = score.choose(kind) else { continue };
            let of = |(rows, scores): &(Array2<f64>, _)| score.of_all(&w.encoder, rows.view(), scores);
            let mut p = crate::outlier::Calibration::new(&of(&calibration)).unwrap().p_values(&of(&test));
            p.sort_by(f64::total_cmp);
            let far = crate::outlier::ks_distance(&p) > 1.63 * (1.0 / 999.0 + 1.0 / 500.0_f64).sqrt();
            *exceeded.entry(kind).or_insert(0) += i32::from(far);
        }
    }
    assert!(exceeded.len() == 7 && exceeded.values().all(|n| *n <= 2), "{exceeded:?}");
}
