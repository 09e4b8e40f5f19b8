//! A record's numbers belong to the record: scores, p-values and flags are equal to the bit whatever the
//! order of the rows, in whatever company, and in a file of its own.
//!
//! `COHORT_FLOW_TABLES=10000` tries as many tables.

use std::fmt::Write as _;

use cohort_flow::artifact::{
    EnsembleConfig, Estimator, FlowEnsemble, MixtureEstimator, ModelArtifact, Run, TrainedFlow,
};
use cohort_flow::baseline::MixtureConfig;
use cohort_flow::evaluate::RecordScores;
use cohort_flow::features::Bundle;
use cohort_flow::flow::FlowConfig;
use cohort_flow::ingest::{Audit, Cells, Column, RecordTable, Spelling, Subjects};
use cohort_flow::outlier::{FlagOptions, Flags, Rule, flag};
use cohort_flow::random::{Seed, StreamRng};
use cohort_flow::schema::{Kind, load_pipeline};
use cohort_flow::train::{FlowKind, Preset, Silent, preset};
use ndarray::{Array2, Axis};
use rand::RngExt;

use crate::numbers::Csv;
use crate::support::{bundle, succeed};

/// A table of any kinds of columns, with missing values, rare levels, offsets and copies of rows.
fn table(rng: &mut StreamRng) -> RecordTable {
    let n = rng.random_range(120..260_usize);
    let p = rng.random_range(1..9_usize);
    let columns = (0..p).map(|j| {
        let missing = [0.0, 0.0, 0.004, 0.2, 0.6][rng.random_range(0..5_usize)];
        let kind = rng.random_range(0..6_u32);
        let scale = 10f64.powi(rng.random_range(-4..7));
        let offset = if rng.random::<f64>() < 0.2 { 1e9 } else { 0.0 };
        let cells = (0..n).map(|_| {
            let z: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
            let x = match kind {
                0 => scale * z + offset,
                1 => (20.0 * z).round(),
                2 => (1.5 * z).exp().floor(),
                3 => {
                    if z < 0.5 {
                        0.0
                    } else {
                        z.exp()
                    }
                }
                4 => f64::from(u8::from(z > 1.5)),
                _ => (2.0 * z.abs()).floor(),
            };
            if rng.random::<f64>() < missing { f64::NAN } else { x }
        });
        let numbers: Vec<f64> = cells.collect();
        let (kind, cells) = match kind {
            0 | 3 => (Kind::Continuous, Cells::Number(numbers.into())),
            1 | 2 => (Kind::Count, Cells::Number(numbers.into())),
            4 => (Kind::Binary, Cells::Number(numbers.into())),
            _ => {
                let text = numbers.iter().map(|x| (!x.is_nan()).then(|| format!("level {x}")));
                (Kind::Categorical, Cells::Text(text.collect()))
            }
        };
        Column {
            name: format!("c{j}"),
            label: String::new(),
            group: String::new(),
            unit: String::new(),
            kind,
            resolution: None,
            range: None,
            spelling: Spelling::undeclared(),
            cells,
        }
    });
    let mut columns: Vec<Column> = columns.collect();
    // The last rows are copies of the first.
    let copies = rng.random_range(0..20_usize);
    for column in &mut columns {
        let source = |i: usize| if i + copies < n { i } else { n - 1 - i };
        column.cells = match &column.cells {
            Cells::Number(x) => Cells::Number((0..n).map(|i| x.get(source(i))).collect()),
            Cells::Text(x) => Cells::Text((0..n).map(|i| x.get(source(i))).collect()),
        };
    }
    let ids: Vec<String> = (0..n).map(|i| format!("r{i}")).collect();
    RecordTable {
        record_ids: ids.into(),
        subjects: Subjects::Records,
        splits: None,
        columns,
        labels: Vec::new(),
        audit: Audit::default(),
    }
}

fn bits(x: &[f64]) -> Vec<u64> {
    x.iter().map(|v| v.to_bits()).collect()
}

fn picked(x: &[f64], rows: &[usize]) -> Vec<u64> {
    rows.iter().map(|&i| x[i].to_bits()).collect()
}

fn flags(model: &ModelArtifact, raw: &Array2<f64>) -> Flags {
    let options = FlagOptions {
        rule: Rule::Alpha(0.1),
        score: model.header.score.clone(),
        draws: model.header.score_draws,
        explain_top: 0,
        score_seed: model.score_seed(),
        ..FlagOptions::default()
    };
    let ids: Vec<String> = (0..raw.nrows()).map(|i| i.to_string()).collect();
    flag(model.density(), &model.encoder, &model.calibration, raw.view(), &ids, &options).unwrap()
}

/// Scores `model` on `raw` in many arrangements.
fn check(model: &ModelArtifact, raw: &Array2<f64>, rng: &mut StreamRng, what: &str) {
    let n = raw.nrows();
    let whole = model.score(raw.view());
    let verdict = flags(model, raw);
    let same = |rows: &[usize], found: &RecordScores| {
        assert_eq!(bits(&found.log_prob), picked(&whole.log_prob, rows), "{what}: log_prob of {rows:?}");
        assert_eq!(bits(&found.log_prob_tensor), picked(&whole.log_prob_tensor, rows), "{what}");
        assert_eq!(bits(&found.log_prob_iw), picked(&whole.log_prob_iw, rows), "{what}");
    };
    let mut arrangements: Vec<Vec<usize>> =
        vec![(0..n).rev().collect(), (0..n).map(|i| (i * 7919 + 3) % n).collect()];
    for _ in 0..6 {
        let size = rng.random_range(1..n.min(40));
        arrangements.push((0..size).map(|_| rng.random_range(0..n)).collect());
    }
    arrangements.extend((0..10).map(|i| vec![(i * 13) % n]));
    for rows in &arrangements {
        let some = raw.select(Axis(0), rows);
        same(rows, &model.score(some.view()));
    }
    let rows = &arrangements[1];
    let turned = flags(model, &raw.select(Axis(0), rows));
    for (found, &i) in turned.rows.iter().zip(rows) {
        let own = &verdict.rows[i];
        assert_eq!(found.score.to_bits(), own.score.to_bits(), "{what}: score of row {i}");
        assert_eq!(found.p_value.to_bits(), own.p_value.to_bits(), "{what}: p-value of row {i}");
        assert_eq!(found.flagged, own.flagged, "{what}: flag of row {i}");
    }
    let alone = flags(model, &raw.select(Axis(0), &[n / 2]));
    assert_eq!(alone.rows[0].p_value.to_bits(), verdict.rows[n / 2].p_value.to_bits(), "{what}: alone");
}

#[test]
fn scores_p_values_and_flags_do_not_hang_on_order_or_company() {
    let tables = std::env::var("COHORT_FLOW_TABLES").ok().and_then(|n| n.parse().ok()).unwrap_or(24_u64);
    let pipeline = load_pipeline("wide-table").unwrap().0;
    for number in 0..tables {
        let mut rng = Seed(number).stream("own scores", 0);
        let table = table(&mut rng);
        let bundle = Bundle::build(&table, None, &pipeline).unwrap();
        let raw = bundle.raw.clone();
        let config = MixtureConfig { components: vec![1, 3], starts: 1, ..MixtureConfig::quick() };
        let mixture = ModelArtifact::of(
            &bundle,
            MixtureEstimator { config }.fit(&bundle, &Run::new(Seed(0), &Silent)).unwrap(),
        );
        check(&mixture, &raw, &mut rng, &format!("table {number}, mixture"));
        // Flows take longer: every third table, of every kind and as an ensemble.
        if number % 3 == 0 {
            let kind = [FlowKind::Butterfly, FlowKind::GlowLu, FlowKind::RealNvp][(number / 3 % 3) as usize];
            let d = bundle.manifest.encoder.n_coordinates();
            let (flow, mut train): (FlowConfig, _) = preset(kind, Preset::Small, raw.nrows(), d);
            train.max_epochs = 2;
            let flow = TrainedFlow { kind, flow, train };
            let run = Run::new(Seed(0), &Silent);
            let fitted = if number % 2 == 0 {
                flow.fit(&bundle, &run)
            } else {
                FlowEnsemble { flow, config: EnsembleConfig::of_flows(2) }.fit(&bundle, &run)
            };
            let model = ModelArtifact::of(&bundle, fitted.unwrap());
            check(&model, &raw, &mut rng, &format!("table {number}, {kind:?}"));
        }
    }
}

#[test]
fn a_row_in_a_file_of_its_own_has_the_score_it_has_in_the_bundle() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    bundle(dir, 300);
    succeed(dir, &["fit", "bundle", "--output", "model", "--preset", "small", "--epochs", "3"]);
    succeed(dir, &["score", "model", "bundle", "--output", "scores.csv"]);
    succeed(dir, &["flag", "model", "bundle", "--output", "flags.csv"]);
    let text = std::fs::read_to_string(dir.join("table.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (scores, flags) = (Csv::read(&dir.join("scores.csv")), Csv::read(&dir.join("flags.csv")));
    for row in [0, 1, 77, 298] {
        std::fs::write(dir.join("one.csv"), format!("{}\n{}\n", lines[0], lines[row + 1])).unwrap();
        succeed(dir, &["score", "model", "--input", "one.csv", "--output", "one-score.csv", "--force"]);
        succeed(dir, &["flag", "model", "--input", "one.csv", "--output", "one-flag.csv", "--force"]);
        let (score, flag) = (Csv::read(&dir.join("one-score.csv")), Csv::read(&dir.join("one-flag.csv")));
        assert_eq!(score.text("log_prob")[0], scores.text("log_prob")[row], "row {row}");
        for name in ["log_prob", "score", "p_value"] {
            assert_eq!(flag.text(name)[0], flags.text(name)[row], "row {row}: {name}");
        }
        assert_eq!(flag.text("log_prob")[0], scores.text("log_prob")[row], "row {row}: both commands");
    }
    // Turned around, with a row twice.
    let mut turned = String::new();
    let rows: Vec<usize> = (1..lines.len()).rev().chain([5]).collect();
    writeln!(turned, "{}", lines[0]).unwrap();
    rows.iter().for_each(|&i| writeln!(turned, "{}", lines[i]).unwrap());
    std::fs::write(dir.join("turned.csv"), turned).unwrap();
    succeed(dir, &["score", "model", "--input", "turned.csv", "--output", "turned-scores.csv"]);
    let found = Csv::read(&dir.join("turned-scores.csv"));
    for (&i, found) in rows.iter().zip(found.text("log_prob")) {
        assert_eq!(*found, scores.text("log_prob")[i - 1], "row {i}");
    }
}
