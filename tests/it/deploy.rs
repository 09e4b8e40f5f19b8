//! `export` of a model: the page about it, and the folder that MLflow serves. That MLflow takes the folder is
//! tested with the Python package.

use std::fs;
use std::path::Path;

use crate::support::{fail, succeed};

fn model() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample/flow").display().to_string()
}

#[test]
fn a_model_is_exported_as_a_page_and_as_a_folder_for_mlflow() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    succeed(at, &["export", &model(), "--format", "card", "--output", "MODEL_CARD.md"]);
    let card = fs::read_to_string(at.join("MODEL_CARD.md")).unwrap();
    for said in ["# Model card: butterfly", "| test |", "## Calibration", "## Limits", "not anonymous"] {
        assert!(card.contains(said), "{said} is not in\n{card}");
    }
    succeed(at, &["export", &model(), "--format", "mlflow", "--output", "served"]);
    let described = fs::read_to_string(at.join("served/MLmodel")).unwrap();
    assert!(described.contains("loader_module: cohort_flow.mlflow"), "{described}");
    let example: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("served/input_example.json")).unwrap()).unwrap();
    assert_eq!(
        example["columns"].as_array().unwrap().len(),
        example["data"][0].as_array().unwrap().len(),
        "a value for each column"
    );
    // The model within is the model.
    for file in ["model.json", "model.safetensors"] {
        let (inside, outside) = (at.join("served/cohort-flow").join(file), Path::new(&model()).join(file));
        assert_eq!(fs::read(inside).unwrap(), fs::read(outside).unwrap(), "{file}");
    }
}

#[test]
fn a_model_without_a_form_and_records_in_one_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fail(dir.path(), &["export", &model(), "--output", "out.csv"], &["--format mlflow"]);
    let bundle = model().replace("flow", "cohort");
    fail(
        dir.path(),
        &["export", &bundle, "--format", "card", "--output", "card.md"],
        &["not a model folder"],
    );
}
