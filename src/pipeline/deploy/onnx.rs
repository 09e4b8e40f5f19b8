//! A model as one graph of ONNX: a table in the columns of its training table in, likelihood, score and
//! p-value out.

use crate::artifact::ModelArtifact;
use crate::evaluate::{Judged, ScoreKind, record_scores_in};
use crate::features::{RawRecords, Shape};
use crate::onnx::{Graph, Inexpressible, Search, Value};
use crate::outlier::Calibrations;
use crate::pipeline::Error;
use crate::pipeline::flag::grouping;

/// Scores that differ by this share of their size, or of 1 where they are smaller, are taken for equal: ties
/// count against the record.
const TIE: f64 = 1e-9;
/// The same of scores with distances, which are sums in single precision: on 2,000 records of PhysioNet 2012
/// they differed from the program's by up to 5.4e-7, and three p-values by one calibration record.
const TIE_OF_SINGLES: f64 = 2e-6;

/// The file of a model whose draws are fixed and whose calibration is that of such draws.
///
/// # Errors
/// A model that cannot be written as a graph, with the reason; one without calibration records.
pub(super) fn render(model: &ModelArtifact, kind: ScoreKind) -> Result<Vec<u8>, Error> {
    check(model)?;
    let (score, calibration) = model.calibrated(kind).ok_or_else(|| Error::Usage {
        message: format!("the model holds no calibration of the score `{kind}`"),
        hint: "leave --score out, or name a score that `flag` of this model takes".into(),
    })?;
    let calibrations = Calibrations::new(calibration, grouping(model).as_ref())?;
    let refused = |Inexpressible(what): Inexpressible| Error::Usage {
        message: format!("the model has a part that is not written as a graph of ONNX: {what}"),
        hint: "use --format mlflow, which takes every model of a table".into(),
    };
    let (encoder, draws) = (&model.encoder, model.header.score_draws);
    let mut graph = Graph::default();
    let records = encoder.raw_in(&mut graph);
    let uniforms = encoder.fixed_uniforms(draws, model.score_seed());
    let coordinates = encoder.encoded_in(&mut graph, &records, &uniforms);
    let log_prob = model.model.log_prob_in(&mut graph, &coordinates).map_err(refused)?;
    let [log_prob, tensor] = record_scores_in(&mut graph, &coordinates, &log_prob, draws);
    let judged = Judged { encoder, records: &records, log_prob: &log_prob, log_prob_tensor: &tensor };
    let score = score.write(&mut graph, judged).map_err(refused)?;
    let tie = match kind {
        ScoreKind::Combined | ScoreKind::Distance => TIE_OF_SINGLES,
        _ => TIE,
    };
    let lowered = below_ties(&mut graph, &score, tie);
    let p_value = p_values(&mut graph, &calibrations, &records, &lowered, encoder.n_features());
    for (name, value) in [("log_prob", log_prob), ("score", score), ("p_value", p_value)] {
        let value = unless_refused(&mut graph, &records, &value);
        graph.output(name, &value);
    }
    let description = format!(
        "A density of records of {} columns and a conformal p-value, fitted by cohort-flow. Inputs are one \
         column each, (records, 1): numbers in double precision with NaN for missing values, texts with \"\" \
         for missing ones. log_prob is the log-likelihood in original units, in nats; of score, larger is \
         more unusual; p_value is the share of calibration records at least as unusual. All are NaN for a \
         record with a text that may be written unlike those of the training table.",
        encoder.n_features()
    );
    let facts = [
        ("model", model.header.family.kind.name().to_owned()),
        ("bundle_sha256", model.header.bundle_sha256.clone()),
        ("score", kind.name().to_owned()),
        ("draws", draws.to_string()),
        ("calibration_records", calibration.len().to_string()),
    ];
    Ok(graph.file(&description, &facts))
}

/// Refuses records that are no rows of a table, and conditional densities.
fn check(model: &ModelArtifact) -> Result<(), Error> {
    let refused = |what: &str| {
        Err(Error::Usage {
            message: format!("this model is {what}, which is not written as a graph of ONNX"),
            hint: "serve it with `cohort-flow serve MODEL --stdio`".into(),
        })
    };
    match model.header.terms.as_ref().map(|terms| &terms.shape) {
        Some(Shape::Windows { .. }) => refused("one of windows of signals"),
        Some(Shape::Grid { .. }) => refused("one of pictures"),
        _ if !model.header.condition_on.is_empty() => refused("a conditional density"),
        Some(Shape::Table) | None => Ok(()),
    }
}

/// Scores lowered to the lower end of what is a tie with them. A record that is one of the calibration
/// records, or as good as one, must not fall above them by a rounding error.
fn below_ties(graph: &mut Graph, score: &Value, tie: f64) -> Value {
    let size = graph.abs(score);
    let one = graph.number(1.0);
    let size = graph.larger(&size, &one);
    let slack = graph.times(&size, -tie);
    graph.add(score, &slack)
}

/// Conformal p-values by the group of each record, or by all calibration records where there are no groups.
///
/// # Shapes
/// `score: (n, 1)` → `(n, 1)`
fn p_values(
    graph: &mut Graph,
    calibrations: &Calibrations,
    records: &RawRecords,
    score: &Value,
    n_features: usize,
) -> Value {
    let groups: Vec<_> = calibrations.each().collect();
    // Place i of a list is the i-th calibration score; below it lie i − 1 of them.
    let lists: Vec<Vec<f64>> = groups
        .iter()
        .map(|(_, own)| std::iter::once(f64::NEG_INFINITY).chain(own.sorted().iter().copied()).collect())
        .collect();
    let values: Vec<Vec<f64>> = groups
        .iter()
        .map(|(_, own)| {
            (0..=own.n()).map(|below| (1 + own.n() - below) as f64 / (own.n() + 1) as f64).collect()
        })
        .collect();
    let search = Search::new(graph, score, &lists, true);
    let each = search.read(graph, &values);
    let Some(column) = calibrations.column() else { return each };
    let code = graph.columns(&records.filled, &[column], n_features, 1);
    let missing = graph.columns(&records.missing, &[column], n_features, 1);
    let none = graph.number(crate::features::MISSING_LEVEL as f64);
    let code = graph.choose(&missing, &none, &code);
    let codes: Vec<f64> = groups.iter().map(|(code, _)| code.unwrap_or_default() as f64).collect();
    let codes = graph.doubles(&codes, &[codes.len()]);
    let own = graph.equal(&code, &codes);
    let one = graph.number(1.0);
    // Of a group without calibration records nothing can be said: p = 1, the largest there is.
    let each = graph.choose(&own, &each, &one);
    let each = graph.minus(&each);
    let smallest = graph.largest(&each, 1, true);
    graph.minus(&smallest)
}

fn unless_refused(graph: &mut Graph, records: &RawRecords, value: &Value) -> Value {
    let Some(refused) = &records.refused else { return value.clone() };
    let nan = graph.number(f64::NAN);
    graph.choose(refused, &nan, value)
}
