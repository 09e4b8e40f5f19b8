//! Reports of real fits: numbers equal the models' own, few people stay hidden, gaps in the inputs become
//! sentences.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in helpers of tests too")]

use cohort_flow::artifact::{Fitted, MixtureDetails, ModelArtifact};
use cohort_flow::baseline::{MixtureConfig, fit_mixture};
use cohort_flow::evaluate::stacked_draws;
use cohort_flow::features::Bundle;
use cohort_flow::ingest::{
    Audit, Cells, CohortStep, Column, InputFile, RecordTable, Subjects, TableAudit, VariableAudit,
};
use cohort_flow::message::{Message, Weight};
use cohort_flow::outlier::{self, FlagOptions, Label, Rule, Warning};
use cohort_flow::random::Seed;
use cohort_flow::report::data::Outcome;
use cohort_flow::report::{Flagged, ReportError, ReportOptions, collect, render};
use cohort_flow::schema::{Kind, Split, load_pipeline};
use cohort_flow::train::{FlowKind, Preset, Silent, preset, train_flow};
use rand::RngExt;

use crate::report::assert_whole;

/// Every twelfth temperature is in Fahrenheit; four records have a rhythm nobody else has.
fn table(n: usize, splits: Option<Vec<Split>>) -> RecordTable {
    let mut rng = Seed(11).stream("report table", 0);
    let mut normal = || -> f64 { (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0 };
    let (mut pulse, mut temperature, mut lactate, mut rhythm) = (vec![], vec![], vec![], vec![]);
    for i in 0..n {
        let severity = normal();
        pulse.push((85.0 + 15.0 * severity + 4.0 * normal()).round());
        let celsius = 37.0 + 0.6 * severity + 0.2 * normal();
        temperature
            .push(((if fahrenheit(i) { celsius * 1.8 + 32.0 } else { celsius }) * 10.0).round() / 10.0);
        lactate.push(if severity + normal() > 0.0 {
            (0.4 + 0.5 * severity + 0.2 * normal()).exp()
        } else {
            f64::NAN
        });
        let name = if i < 4 {
            "torsades"
        } else if severity > 0.5 {
            "atrial fibrillation"
        } else {
            "sinus"
        };
        rhythm.push(Some(name.to_owned()));
    }
    let column = |name: &str, label: &str, unit: &str, kind, cells| Column {
        name: name.into(),
        label: label.into(),
        group: "vitals".into(),
        unit: unit.into(),
        kind,
        resolution: None,
        range: None,
        spelling: cohort_flow::ingest::Spelling::undeclared(),
        cells,
    };
    let ids: Vec<String> = (0..n).map(|i| format!("stay-{i:05}")).collect();
    RecordTable {
        record_ids: ids.into(),
        subjects: Subjects::Records,
        splits,
        columns: vec![
            column("pulse", "Heart rate", "/min", Kind::Count, Cells::Number(pulse.into())),
            column("temperature", "Temperature", "°C", Kind::Continuous, Cells::Number(temperature.into())),
            column("lactate", "Lactate <venous>", "mmol/L", Kind::Continuous, Cells::Number(lactate.into())),
            column("rhythm", "Rhythm", "", Kind::Categorical, Cells::Text(rhythm.into())),
        ],
        labels: Vec::new(),
        audit: audit(n),
    }
}

fn fahrenheit(i: usize) -> bool {
    i % 12 == 7
}

fn audit(n: usize) -> Audit {
    let step = |rule: &str, before, after| CohortStep { rule: rule.into(), before, after, failed_null: 0 };
    Audit {
        columns: Vec::new(),
        inputs: vec![InputFile { name: "wide.csv".into(), bytes: 12_345, sha256: "ab".repeat(32) }],
        cohort: vec![
            step("all records", n + 203, n + 203),
            step("adults", n + 203, n + 200),
            step("first stay", n + 200, n),
        ],
        tables: vec![TableAudit {
            table: "wide".into(),
            rows_read: n as u64 + 507,
            rows_kept: n as u64,
            dropped: [("no id".to_owned(), 7), ("duplicate".to_owned(), 500)].into(),
        }],
        variables: vec![VariableAudit {
            variable: "lactate".into(),
            values_kept: 600,
            above_range: 40,
            below_range: 3,
            ..VariableAudit::default()
        }],
        messages: vec![Message::records(Weight::Wrong, "a warning with <tags>, 7 rows of `bed 9`")].into(),
    }
}

fn bundle(n: usize, splits: Option<Vec<Split>>) -> Bundle {
    let (pipeline, _) = load_pipeline("wide-table").unwrap();
    Bundle::build(&table(n, splits), None, &pipeline).unwrap()
}

fn mixture(bundle: &Bundle) -> ModelArtifact {
    let encoder = &bundle.manifest.encoder;
    let config = MixtureConfig { seed: Seed(3), ..MixtureConfig::default() };
    let rows = |split, draws| stacked_draws(encoder, bundle.raw_of(split).view(), draws, Seed(3));
    let (gmm, trials) =
        fit_mixture(rows(Split::Train, 2).view(), rows(Split::Validation, 2).view(), 2, &config).unwrap();
    ModelArtifact::of(
        bundle,
        Fitted::of_mixture(gmm, &MixtureDetails { search: config, trials, straight: false }, 0.5),
    )
}

fn flow(bundle: &Bundle) -> ModelArtifact {
    let d = bundle.manifest.encoder.n_coordinates();
    let kind = FlowKind::Butterfly;
    let (mut flow, mut train) = preset(kind, Preset::Small, bundle.manifest.splits.train, d);
    (flow.n_blocks, flow.hidden) = (2, 16);
    train.max_epochs = 12;
    let trained = train_flow(bundle, &flow, &train, None, false, &Silent).unwrap();
    ModelArtifact::of(bundle, Fitted::of_flow(kind, &train, trained))
}

fn flagged(bundle: &Bundle, model: &ModelArtifact) -> Flagged {
    let rows = bundle.rows(Split::Test);
    let ids: Vec<String> = rows.iter().map(|&i| bundle.record_ids[i].clone()).collect();
    let options = FlagOptions {
        rule: Rule::Fdr(0.1),
        draws: model.header.score_draws,
        also_explain: 20,
        ..FlagOptions::default()
    };
    let raw = bundle.raw_of(Split::Test);
    let flags =
        outlier::flag(model.density(), &model.encoder, &model.calibration, raw.view(), &ids, &options)
            .unwrap();
    let labels: Vec<Label> = rows
        .iter()
        .map(|&i| {
            if fahrenheit(i) {
                Label { kind: Some("fahrenheit".into()), features: vec!["temperature".into()] }
            } else {
                Label::default()
            }
        })
        .collect();
    let evaluation = outlier::evaluate(&flags, &labels).unwrap();
    let messages = flags.warnings.iter().map(Warning::message).collect();
    Flagged {
        integrated_out: Vec::new(),
        flags,
        messages,
        fdr: 0.1,
        new_records: false,
        evaluation: Some(evaluation),
        outcomes: Vec::new(),
    }
}

fn options(identifiable: bool) -> ReportOptions {
    ReportOptions { identifiable, seed: Seed(5), scales: None, subjects: None, groups: None, review: None }
}

#[test]
fn a_flow_and_a_mixture_are_compared_by_their_own_numbers() {
    let bundle = bundle(1500, None);
    let models = [
        ("flow".to_owned(), flow(&bundle)),
        ("gmm".to_owned(), mixture(&bundle)),
        ("gmm".to_owned(), mixture(&bundle)),
    ];
    let flagged = flagged(&bundle, &models[1].1);
    let data = collect(&bundle, &models, Some(&flagged), None, &options(false)).unwrap();
    let html = render(&data).unwrap();
    assert_whole(&html);
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
    // The same inputs, the same bytes, through everything that samples, scores and ranks.
    let again = collect(&bundle, &models, Some(&flagged), None, &options(false)).unwrap();
    assert_eq!(html, render(&again).unwrap());
    if let Ok(path) = std::env::var("COHORT_FLOW_REPORT_SAMPLE") {
        std::fs::write(path, &html).unwrap();
    }

    let names: Vec<&str> = data.models.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["flow", "gmm", "gmm 2"]);
    for (shown, (_, model)) in data.models.iter().zip(&models) {
        for s in &shown.splits {
            let own = &model.metrics.splits[&Split::ALL.into_iter().find(|x| x.name() == s.split).unwrap()];
            assert_eq!((s.mean, s.standard_error), (Some(own.mean_log_prob), own.standard_error));
        }
    }
    // Paired and unpaired means are over the same scores.
    let comparison = data.comparison.as_ref().unwrap();
    for row in &comparison.rows {
        let own = data
            .models
            .iter()
            .find(|m| m.name == row.model)
            .unwrap()
            .splits
            .iter()
            .find(|s| s.split == "test")
            .unwrap();
        assert!((own.original_units.unwrap() - row.mean).abs() < 1e-9);
        assert!((row.difference - (row.mean - comparison.rows[0].mean)).abs() < 1e-9);
    }
    // Two equal mixtures cannot be told apart, and the page says so.
    let twins: Vec<f64> =
        comparison.rows.iter().filter(|r| r.model.starts_with("gmm")).map(|r| r.mean).collect();
    assert_eq!(twins[0], twins[1]);
    assert!(matches!(data.verdict.outcome, Outcome::Flow | Outcome::Mixture | Outcome::Undecided));
    let (difference, error) = (data.verdict.difference.unwrap(), data.verdict.standard_error.unwrap());
    assert_eq!(data.verdict.outcome == Outcome::Undecided, difference.abs() < 1.96 * error);

    let marginals = data.marginals.as_ref().unwrap();
    assert!(marginals.features.windows(2).all(|f| f[0].ks >= f[1].ks), "worst first");
    assert_eq!(marginals.models[0].model, "training records");
    assert!(marginals.models[0].mean_ks < 0.1, "real records resemble real records");
    let planted = data.outliers.as_ref().unwrap().planted.as_ref().unwrap();
    assert_eq!(planted.kinds[0].kind, "fahrenheit");
    assert!(
        html.contains("Lactate &lt;venous&gt;")
            && html.contains("&lt;tags&gt;, fewer than 11 rows of `bed 9`")
    );
}

#[test]
fn nobody_is_told_unless_opted_in() {
    let bundle = bundle(1200, None);
    let models = [("gmm".to_owned(), mixture(&bundle))];
    let flagged = flagged(&bundle, &models[0].1);
    let strict = render(&collect(&bundle, &models, Some(&flagged), None, &options(false)).unwrap()).unwrap();
    let open = render(&collect(&bundle, &models, Some(&flagged), None, &options(true)).unwrap()).unwrap();
    assert!(!strict.contains("stay-0") && open.contains("stay-0"));
    // Four records with a rhythm of their own, three who are no adults, seven rows without an id, three low
    // values.
    assert!(!strict.contains("torsades") && open.contains(">torsades<"));
    assert!(strict.contains("adults; first stay") && !open.contains("adults; first stay"));
    assert!(!strict.contains("no id") && open.contains("no id"));
    assert!(open.contains("1,403") && open.contains("1,400") && !strict.contains("1,400"));
    assert!(strict.contains("&lt;\u{a0}11"));
    assert!(!open.contains("&lt;\u{a0}11"));
}

#[test]
fn without_test_or_calibration_records_the_page_says_so() {
    let splits: Vec<Split> =
        (0..300).map(|i| if i % 5 == 0 { Split::Validation } else { Split::Train }).collect();
    let bundle = bundle(300, Some(splits));
    let models = [("gmm".to_owned(), mixture(&bundle))];
    let data = collect(&bundle, &models, None, None, &options(false)).unwrap();
    assert_eq!(data.verdict.outcome, Outcome::NoTest);
    assert!(
        data.comparison.is_none()
            && data.marginals.is_none()
            && data.calibration.is_none()
            && data.outliers.is_none()
    );
    let html = render(&data).unwrap();
    assert_whole(&html);
    assert!(html.contains("There are no test records") && html.contains("There is no calibration split"));
}

#[test]
fn models_of_another_bundle_are_refused() {
    let (here, there) = (bundle(300, None), bundle(400, None));
    let models = [("gmm".to_owned(), mixture(&there))];
    assert!(matches!(
        collect(&here, &models, None, None, &options(false)),
        Err(ReportError::OtherBundle { .. })
    ));
    assert!(matches!(collect(&here, &[], None, None, &options(false)), Err(ReportError::NoModel)));
}
