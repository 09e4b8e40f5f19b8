//! `report`: bundle and models → one HTML file.

use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::features::Bundle;
use crate::outlier::{self, Evaluation, Rule};
use crate::output::{OutputError, write_atomic};
use crate::random::Seed;
use crate::report::{self, Flagged, ReportOptions};
use crate::schema::Split;

use super::labels::{labels_of, read_labels};
use super::score::flag_records;
use super::{Error, Records, RecordsSource};

/// Features named per flagged record.
const EXPLAIN: usize = 3;
/// The least likely records are explained even when none is flagged.
const ALSO_EXPLAIN: usize = 20;

/// What to report.
#[derive(Debug, Clone, Copy)]
pub struct ReportRequest<'a> {
    /// Bundle folder.
    pub bundle: &'a Path,
    /// Model folders; the first is the one records are flagged with.
    pub models: &'a [&'a Path],
    /// HTML file to write.
    pub output: &'a Path,
    /// Whether to replace an existing one.
    pub force: bool,
    /// Show identifiers and small counts.
    pub identifiable: bool,
    /// False discovery rate of the flags shown.
    pub fdr: f64,
    /// Records to flag in place of the bundle's test split.
    pub records: Option<RecordsSource<'a>>,
    /// Known anomalies among the flagged records.
    pub labels: Option<&'a Path>,
    /// Seed of samples and noise draws.
    pub seed: Seed,
}

/// Computes and writes the page; returns how the flags compare with the known anomalies, where there are any.
///
/// # Errors
/// Whatever reading, flagging or rendering reports; models that do not fit the bundle.
pub fn report(request: &ReportRequest<'_>) -> Result<Option<Evaluation>, Error> {
    if !request.force && request.output.symlink_metadata().is_ok() {
        return Err(OutputError::Exists(request.output.to_path_buf()).into());
    }
    let bundle = Bundle::open(request.bundle)?;
    let labels = request.labels.map(read_labels).transpose()?;
    let mut models = Vec::new();
    for path in request.models {
        let model = ModelArtifact::load(path)?;
        model.check_bundle(&bundle)?;
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        models.push((name, model));
    }
    let flagged = match models.first() {
        Some((_, model)) if !model.calibration.is_empty() => {
            let records = match request.records {
                Some(source) => Records::read(model, source)?,
                None => test_records(&bundle),
            };
            (!records.ids.is_empty())
                .then(|| -> Result<Flagged, Error> {
                    let summary = flag_records(
                        model,
                        &records,
                        Rule::Fdr(request.fdr),
                        EXPLAIN,
                        ALSO_EXPLAIN,
                        request.seed,
                    )?;
                    let evaluation = labels
                        .as_ref()
                        .map(|l| outlier::evaluate(&summary.flags, &labels_of(&records.ids, l)))
                        .transpose()?;
                    Ok(Flagged {
                        flags: summary.flags,
                        warnings: summary.warnings,
                        fdr: request.fdr,
                        new_records: request.records.is_some(),
                        evaluation,
                    })
                })
                .transpose()?
        }
        _ => None,
    };
    let options = ReportOptions { identifiable: request.identifiable, seed: request.seed };
    let data = report::collect(&bundle, &models, flagged.as_ref(), &options)?;
    write_atomic(request.output, report::render(&data)?.as_bytes())?;
    Ok(flagged.and_then(|f| f.evaluation))
}

fn test_records(bundle: &Bundle) -> Records {
    let rows = bundle.rows(Split::Test);
    Records {
        ids: rows.iter().map(|&i| bundle.record_ids[i].clone()).collect(),
        raw: bundle.raw_of(Split::Test),
        splits: None,
        warnings: Vec::new(),
    }
}
