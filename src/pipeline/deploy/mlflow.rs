//! A folder in the form of MLflow's "python_function" flavour: `MLmodel` with the signature, the model folder
//! in `cohort-flow/`, what Python needs, and a made-up example of a request.
//!
//! The page is that of MLflow on its storage format, <https://mlflow.org/docs/latest/ml/model/>.

use std::path::Path;

use serde_json::{Value, json};

use crate::artifact::ModelArtifact;
use crate::error::IoError;
use crate::features::FittedColumn;

use super::file::put;
use crate::pipeline::Error;

/// The module of the Python package that loads the folder.
const LOADER: &str = "cohort_flow.mlflow";
/// The model folder within.
const DATA: &str = "cohort-flow";
/// The page of the model.
const CARD: &str = "MODEL_CARD.md";
/// Oldest Python of the package.
const PYTHON: &str = "3.9";

/// Writes everything into the empty folder `dir`.
pub(super) fn write(model: &ModelArtifact, dir: &Path) -> Result<(), Error> {
    if !model.header.terms.as_ref().is_none_or(|terms| terms.shape.has_separate_features()) {
        return Err(Error::Usage {
            message:
                "this model is one of windows of signals, whose records are no rows of a table of columns"
                    .into(),
            hint: "serve it with `cohort-flow serve MODEL --stdio`".into(),
        });
    }
    let data = dir.join(DATA);
    std::fs::create_dir(&data).map_err(|e| Error::from(IoError::on("create", &data)(e)))?;
    model.write(&data)?;
    let requirement = format!("cohort-flow=={}", env!("CARGO_PKG_VERSION"));
    put(&dir.join("MLmodel"), description(&model.encoder.columns).as_bytes())?;
    put(&dir.join("requirements.txt"), format!("{requirement}\npandas\n").as_bytes())?;
    let environment = format!("python: \">={PYTHON}\"\ndependencies:\n- {requirement}\n- pandas\n");
    put(&dir.join("python_env.yaml"), environment.as_bytes())?;
    put(&dir.join("input_example.json"), example(&model.encoder.columns).to_string().as_bytes())?;
    put(&dir.join(CARD), super::card::render(model).as_bytes())
}

/// The `MLmodel` file. Texts of JSON are texts of YAML, quotes included.
fn description(columns: &[FittedColumn]) -> String {
    let inputs: Vec<Value> = columns
        .iter()
        .map(|column| json!({"type": kind(column), "name": column.meta.name, "required": false}))
        .collect();
    let outputs: Vec<Value> =
        ["log_prob", "score", "p_value"].map(|name| json!({"type": "double", "name": name})).to_vec();
    let quoted = |value: &Vec<Value>| json!(json!(value).to_string()).to_string();
    format!(
        "flavors:\n  python_function:\n    data: {DATA}\n    env:\n      virtualenv: python_env.yaml\n    \
         loader_module: {LOADER}\nsaved_input_example_info:\n  artifact_path: input_example.json\n  \
         pandas_orient: split\n  type: dataframe\nsignature:\n  inputs: {}\n  outputs: {}\n  params: null\n",
        quoted(&inputs),
        quoted(&outputs)
    )
}

fn kind(column: &FittedColumn) -> &'static str {
    if column.levels.is_empty() { "double" } else { "string" }
}

/// One row that nobody ever was: the median of each number and the most frequent level of each text.
fn example(columns: &[FittedColumn]) -> Value {
    let names: Vec<&str> = columns.iter().map(|column| column.meta.name.as_str()).collect();
    let row: Vec<Value> = columns
        .iter()
        .map(|column| match column.levels.first() {
            Some(level) => json!(level),
            None => json!(column.quantiles.get(column.quantiles.len() / 2)),
        })
        .collect();
    json!({"columns": names, "data": [row]})
}
