//! `report`: bundle and models → one HTML file.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::artifact::ModelArtifact;
use crate::error::IoError;
use crate::features::{Bundle, FeatureError, Shape};
use crate::ingest::{self, Cells};
use crate::outlier::Evaluation;
use crate::output::{OutputError, Staged, keep_inputs};
use crate::plain_file;
use crate::random::Seed;
use crate::report::data::Outcome;
use crate::report::{self, Older, OlderModel, ReportError, ReportOptions};
use crate::schema::Kind;
use crate::waveform::Normalisation;

use super::groups::group_column;
use super::review::read_review;
use super::shared::{SharedFeatures, read_shared};
use super::{Error, Records, RecordsSource, report_flags};

/// What is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReportFormat {
    /// The page.
    #[default]
    Html,
    /// Its numbers, for machines.
    Json,
}

/// What to report.
#[derive(Debug, Clone, Copy)]
pub struct ReportRequest<'a> {
    /// Bundle folder.
    pub bundle: &'a Path,
    /// Model folders; the first fitted on the bundle is the one records are flagged with. Models of the older
    /// bundle judge how far the cohorts have drifted apart.
    pub models: &'a [&'a Path],
    /// An older bundle to compare the cohort with.
    pub compare: Option<&'a Path>,
    /// A column whose groups are judged one by one: a feature, or a column of a table.
    pub by: Option<&'a str>,
    /// The table that has this column, with the record ids.
    pub by_table: Option<&'a Path>,
    /// File to write.
    pub output: &'a Path,
    /// What it holds.
    pub format: ReportFormat,
    /// Whether to replace an existing one.
    pub force: bool,
    /// Show identifiers and small counts.
    pub identifiable: bool,
    /// False discovery rate of the flags shown.
    pub fdr: f64,
    /// Records to flag in place of the bundle's test split. What another bundle lacks of the features of the
    /// model is integrated out.
    pub records: Option<RecordsSource<'a>>,
    /// Known anomalies among the flagged records.
    pub labels: Option<&'a Path>,
    /// A table of flags that the reader is to mark.
    pub review: Option<&'a Path>,
    /// Seed of samples and noise draws.
    pub seed: Seed,
}

/// What a page came to.
#[derive(Debug)]
pub struct Reported {
    /// How the flags compare with the known anomalies, where there are any.
    pub evaluation: Option<Evaluation>,
    /// Which family explains held-out records better.
    pub outcome: Outcome,
    /// Mean difference of the best flow and its opponent over the same held-out records, in nats per record,
    /// with its standard error; none without both or with too few records.
    pub difference: Option<(f64, f64)>,
}

/// Computes and writes the page.
///
/// # Errors
/// Whatever reading, flagging or rendering reports; models that do not fit the bundle.
pub fn report(request: &ReportRequest<'_>) -> Result<Reported, Error> {
    let others = [request.compare, request.labels, request.by_table, request.review].into_iter().flatten();
    let records = request.records.map(RecordsSource::path);
    let inputs = request.models.iter().copied().chain([request.bundle]).chain(others).chain(records);
    keep_inputs(request.output, inputs)?;
    if !request.force && request.output.symlink_metadata().is_ok() {
        return Err(OutputError::Exists(request.output.to_path_buf()).into());
    }
    check_name(request.output, request.format)?;
    let models = request.models.iter().copied();
    let others = [request.compare, request.labels, request.records.map(RecordsSource::path)];
    keep_inputs(request.output, models.chain(others.into_iter().flatten()).chain([request.bundle]))?;
    let bundle = Bundle::open(request.bundle)?;
    let review = request.review.map(|path| read_review(&bundle, path)).transpose()?;
    let (models, older) = read_models(request, &bundle)?;
    let shape = &bundle.manifest.shape;
    let wanted = report_flags::Wanted {
        bundle: request.bundle,
        records: request.records,
        labels: request.labels,
        fdr: request.fdr,
        seed: request.seed,
    };
    let flagged = match models.first() {
        Some((_, model)) => report_flags::flags(&wanted, &bundle, model)?,
        None => None,
    };
    let scales = match shape {
        Shape::Table | Shape::Grid { .. } => None,
        Shape::Windows { .. } => Some(read_scales(request.bundle)?),
    };
    let options = ReportOptions {
        identifiable: request.identifiable,
        seed: request.seed,
        scales,
        review,
        // Only drift asks for it, and reading the ids of a large bundle takes a while.
        groups: request.by.map(|column| group_column(&bundle, column, request.by_table)).transpose()?,
        subjects: older.as_ref().map(|_| count_subjects(request.bundle, &bundle)).transpose()?.flatten(),
    };
    let data = report::collect(&bundle, &models, flagged.as_ref(), older.as_ref(), &options)?;
    let text = match request.format {
        ReportFormat::Html => report::render(&data)?,
        ReportFormat::Json => report::to_json(&data),
    };
    // Another process may have written it since the beginning, and is not to be overruled without --force.
    let staged = Staged::file(request.output, request.force)?;
    fs::write(staged.path(), text).map_err(IoError::on("write", request.output))?;
    staged.commit()?;
    let verdict = data.verdict;
    Ok(Reported {
        evaluation: flagged.and_then(|f| f.evaluation),
        outcome: verdict.outcome,
        difference: verdict.difference.zip(verdict.standard_error),
    })
}

/// Refuses a name that promises another kind of file.
fn check_name(output: &Path, format: ReportFormat) -> Result<(), Error> {
    let ending = output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let (what, fits): (_, &[&str]) = match format {
        ReportFormat::Html => ("an HTML page", &["html", "htm"]),
        ReportFormat::Json => ("JSON", &["json"]),
    };
    let other = ["html", "htm", "json", "pdf", "csv", "txt", "md", "docx", "parquet", "png", "svg"];
    match ending {
        Some(ending) if other.contains(&ending.as_str()) && !fits.contains(&ending.as_str()) => {
            Err(Error::Usage {
                message: format!(
                    "{}: a report in this format is {what}, and no file of that kind",
                    output.display()
                ),
                hint: format!(
                    "end the name in .{}; --format html or json says which; a browser prints the page as PDF",
                    fits[0]
                ),
            })
        }
        _ => Ok(()),
    }
}

/// `waveform.json`, as `ingest` writes it.
fn read_scales(bundle: &Path) -> Result<Normalisation, Error> {
    let path = bundle.join("waveform.json");
    let bytes = plain_file::read(&path).map_err(IoError::on("read", &path))?;
    Ok(serde_json::from_slice(&bytes).map_err(|source| FeatureError::Json { path, source })?)
}

type Named = (String, ModelArtifact);

/// The models of the bundle, and the older cohort with its own.
fn read_models(request: &ReportRequest<'_>, bundle: &Bundle) -> Result<(Vec<Named>, Option<Older>), Error> {
    let mut older = request
        .compare
        .map(|path| {
            let bundle = Bundle::open(path)?;
            let subjects = count_subjects(path, &bundle)?;
            Ok::<_, Error>(Older { name: name_of(path), bundle, subjects, models: Vec::new() })
        })
        .transpose()?;
    let mut own = Vec::new();
    for path in request.models {
        let model = ModelArtifact::load(path)?;
        if model.header.bundle_sha256 != bundle.fingerprint()
            && let Some(older) =
                older.as_mut().filter(|o| o.bundle.fingerprint() == model.header.bundle_sha256)
        {
            older.models.push(older_model(path, model, request.bundle)?);
            continue;
        }
        model.check_bundle(bundle)?;
        if model.header.bundle_sha256 != bundle.fingerprint() {
            return Err(ReportError::OtherBundle { what: format!("model `{}`", name_of(path)) }.into());
        }
        own.push((name_of(path), model));
    }
    if own.is_empty() && older.as_ref().is_some_and(|o| !o.models.is_empty()) {
        return Err(Error::Usage {
            message: "all models given were fitted on the older bundle".into(),
            hint: "fit a model on the new bundle too (`--model gmm` takes seconds) and give both; `report \
                   OLD_BUNDLE --model MODEL --input NEW_BUNDLE` flags the new records by the older model"
                .into(),
        });
    }
    Ok((own, older))
}

/// A model of the older bundle with the new records, by what these have of its features. They are read by the
/// table: the older model's transforms and level codes apply, never those of the new bundle.
fn older_model(path: &Path, model: ModelArtifact, bundle: &Path) -> Result<OlderModel, Error> {
    let name = name_of(path);
    Ok(match SharedFeatures::of(&model, bundle)? {
        Some(shared) => {
            let raw = read_shared(&model, bundle, &shared)?.raw;
            OlderModel { name, model, raw, wanted: Some(shared.wanted), lacking: shared.lacking }
        }
        None => {
            let raw = Records::read(&model, RecordsSource::Bundle(bundle))?.raw;
            OlderModel { name, model, raw, wanted: None, lacking: Vec::new() }
        }
    })
}

/// Patients of a bundle, by the column that `ingest` writes; none where every record is of another.
pub(super) fn count_subjects(path: &Path, bundle: &Bundle) -> Result<Option<usize>, Error> {
    let table = ingest::read_columns(&path.join("features.parquet"), &[("subject_id", Kind::Categorical)])?;
    let mut different = HashSet::new();
    for column in &table.columns {
        if let Cells::Text(ids) = &column.cells {
            different.extend(ids.levels());
        }
    }
    Ok(Some(different.len()).filter(|n| (1..bundle.record_ids.len()).contains(n)))
}

/// The last component, as a name for people; the whole path says too much about the machine.
pub(super) fn name_of(path: &Path) -> String {
    // `out/flow/.` and `.` name a folder too.
    let whole: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    whole.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}
