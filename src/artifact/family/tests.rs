use super::*;
use crate::artifact::{CausalFlow, Estimator, Fitted, ModelArtifact, Run};
use crate::features::Bundle;
use crate::ingest::{Audit, Cells, Column, RecordTable, Subjects};
use crate::random::Seed;
use crate::schema::{Kind, Pipeline, Split, apply_settings, load_pipeline};
use crate::train::Silent;
use crate::window::WindowConfig;
use rand::RngExt;

/// Windows of two channels of 12 samples: a random walk and its echo.
fn bundle(settings: &[(&str, &str)]) -> Bundle {
    let mut pipeline: Pipeline = load_pipeline("waveform-1024").unwrap().0;
    let all = [&[("channels", "A,B"), ("window", "12")], settings].concat();
    let all: Vec<_> = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    apply_settings(&mut pipeline, &all).unwrap();
    let n = 120;
    let mut rng = Seed(5).stream("windows", 0);
    let mut cells = vec![Vec::new(); 24];
    for _ in 0..n {
        let mut walk = 0.0f64;
        for t in 0..12 {
            let echo = 0.5 * walk;
            walk = 0.9 * walk + rng.random::<f64>() - 0.5;
            for (c, x) in [walk, echo].into_iter().enumerate() {
                cells[2 * t + c].push((50.0 * x).round() / 50.0);
            }
        }
    }
    let column = |(i, cells): (usize, Vec<f64>)| Column {
        name: format!("{}[{:04}]", ["A", "B"][i % 2], i / 2),
        label: String::new(),
        group: String::new(),
        unit: "SD".into(),
        kind: Kind::Continuous,
        resolution: Some(0.02),
        range: None,
        spelling: crate::ingest::Spelling::undeclared(),
        cells: Cells::Number(cells.into()),
    };
    let splits = (0..n).map(|i| Split::ALL[[0, 0, 0, 1, 2, 3][i % 6]]).collect();
    let ids: Vec<String> = (0..n).map(|i| format!("w@{i}")).collect();
    let table = RecordTable {
        record_ids: ids.into(),
        subjects: Subjects::Records,
        splits: Some(splits),
        columns: cells.into_iter().enumerate().map(column).collect(),
        labels: Vec::new(),
        audit: Audit::default(),
    };
    Bundle::build(&table, None, &pipeline).unwrap()
}

fn fitted(estimator: &impl Estimator<Model = Fitted>, bundle: &Bundle) -> ModelArtifact {
    ModelArtifact::of(bundle, estimator.fit(bundle, &Run::new(Seed(0), &Silent)).unwrap())
}

fn causal(max_epochs: u32) -> CausalFlow {
    let config = WindowConfig { hidden: 8, components: 3, max_epochs, ..WindowConfig::default() };
    CausalFlow { config }
}

#[test]
fn models_of_windows_read_back_as_they_were_written() {
    let bundle = bundle(&[]);
    let var = fitted(&Autoregression::default(), &bundle);
    let causal = fitted(&causal(3), &bundle);
    assert_eq!(causal.history.len(), 4);
    let dir = tempfile::tempdir().unwrap();
    let raw = bundle.raw_of(Split::Test);
    for (name, model) in [("var", &var), ("causal", &causal)] {
        let path = dir.path().join(name);
        model.save(&path, false).unwrap();
        let read = ModelArtifact::load(&path).unwrap();
        assert_eq!(read.header, model.header);
        assert_eq!(read.score(raw.view()).log_prob, model.score(raw.view()).log_prob, "{name}");
        assert_eq!(read.calibration, model.calibration);
        assert!(read.metrics.splits[&Split::Test].mean_log_prob.is_finite());
    }
}

/// To the bit, whatever the order of the windows and however few are scored together.
#[test]
fn a_window_has_the_same_score_in_any_company() {
    let bundle = bundle(&[]);
    let models = [fitted(&Autoregression::default(), &bundle), fitted(&causal(2), &bundle)];
    let n = bundle.raw.nrows();
    for model in &models {
        let whole = model.score(bundle.raw.view()).log_prob;
        let orders = [(0..n).rev().collect::<Vec<_>>(), vec![7], vec![3, 90, 3], (20..57).collect()];
        for rows in orders {
            let some = model.score(bundle.raw.select(ndarray::Axis(0), &rows).view()).log_prob;
            let expected: Vec<f64> = rows.iter().map(|&i| whole[i]).collect();
            assert_eq!(some, expected, "{} {}", model.header.family.kind, rows.len());
        }
    }
}

#[test]
fn other_bundles_are_refused() {
    let mut table = bundle(&[]);
    table.manifest.shape = Shape::Table;
    let run = Run::new(Seed(0), &Silent);
    let error = Autoregression::default().fit(&table, &run).unwrap_err().to_string();
    assert!(error.contains("made from a table"), "{error}");
    let wrong = bundle(&[("window", "13")]);
    let error = causal(1).fit(&wrong, &run).unwrap_err().to_string();
    assert!(error.contains("26 coordinates, the bundle has 24"), "{error}");
}

#[test]
fn every_family_is_found_by_its_name_and_by_no_other() {
    for family in Family::ALL {
        assert_eq!(family.name().parse(), Ok(*family));
        let json = serde_json::to_string(family).unwrap();
        assert_eq!(serde_json::from_str::<Family>(&json).unwrap(), *family);
    }
    assert!("butterfl".parse::<Family>().unwrap_err().contains("one of butterfly, glow-lu"));
}

#[test]
fn options_that_a_family_does_not_have_are_refused() {
    let table = Shape::Table;
    let set = |key: &str| Options { settings: vec![(key.into(), "1".into())], ..Options::default() };
    let refused = |family: Family, shape: &Shape, options: &Options| {
        family.estimator(shape, options, &Run::new(Seed(0), &Silent)).err().map(|e| e.to_string())
    };
    let ensemble = Options { ensemble: Some(3), ..Options::default() };
    let windows = Shape::Windows { channels: vec!["II".into()], samples: 64, past: 0 };
    for (family, shape, options, words) in [
        (Family::Gmm, &table, &ensemble, "--ensemble does not apply to `--model gmm`"),
        (Family::Gmm, &table, &set("hidden"), "--set does not apply"),
        (Family::Var, &table, &Options::default(), "made from a table"),
        (Family::Causal, &windows, &ensemble, "--ensemble does not apply"),
        (Family::Causal, &windows, &set("hiden"), "did you mean `hidden`?"),
        (Family::Butterfly, &windows, &ensemble, "--ensemble does not apply"),
        (Family::Butterfly, &table, &set("patch"), "applies to flows of waveform windows"),
        (Family::RealNvp, &table, &set("whiten"), "there is no setting `whiten`"),
    ] {
        let message = refused(family, shape, options).unwrap();
        assert!(message.contains(words), "{family}: {message}");
    }
    assert_eq!(refused(Family::Butterfly, &table, &set("hidden")), None);
    assert_eq!(refused(Family::GlowLu, &windows, &set("patch")), None);
}
