//! Every number the page prints, and nothing about drawing it. Serialised, it is the report for machines.
//!
//! Sections that the inputs cannot support are `None` or empty; the page then says why. Counts of records are
//! [`Cell`]s, which only [`Privacy`](super::Privacy) makes.

mod apart;
mod cohort;
mod drift;
mod fit;
mod groups;
mod learned;
mod models;
mod pictures;
mod review;
mod waveform;

use serde::Serialize;

pub use apart::{Apart, FeatureApart};
pub use cohort::{Alert, Cohort, FeatureSummary, LevelShare, Missing, SplitStats, Step, TableRows};
pub use drift::{Drift, FeatureDrift, JointDrift};
pub use fit::{
    AlphaRow, Calibration, CorrelationPair, Correlations, Histogram, Interval, Marginal, Marginals, ModelFit,
    OutcomeRow, OutlierRow, Outliers, PValueHistogram, Planted, PlantedKind, QqCurve, Regions,
};
pub use groups::{GroupRow, Groups};
pub use learned::{Learned, LearnedLayer, Mixing};
pub use models::{
    Comparison, ComparisonRow, Epoch, LearningCurve, ModelSummary, Quantiles, SplitLikelihood, SplitScore,
};

pub use pictures::{
    BitsPerDimension, HeldOutPictures, Pictures, ScoreRate, ScoreRates, ShownPicture, Texture,
};
pub use review::{Review, ReviewRow};
pub use waveform::{
    LearnedLevels, LevelRow, OddWindow, OverTime, PerDimension, Spectrum, TimePoint, Trace, WaveChannel,
    Waveforms,
};

use super::Cell;

/// Version of the machine-readable form.
pub const FORMAT_VERSION: u32 = 1;

/// The whole report.
#[derive(Debug, Clone, Serialize)]
pub struct ReportData {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Heading of the page.
    pub title: String,
    /// Whether ids and small counts are printed; marks the page.
    pub identifiable: bool,
    /// Section 1.
    pub verdict: Verdict,
    /// Where everything came from.
    pub provenance: Provenance,
    /// Who was included, and what became of the rows.
    pub cohort: Cohort,
    /// Features in pipeline order.
    pub features: Vec<FeatureSummary>,
    /// Missing values by feature, most first.
    pub missing: Vec<Missing>,
    /// Values that were converted, dropped or looked odd.
    pub alerts: Vec<Alert>,
    /// Sentences of the audit.
    pub warnings: Vec<String>,
    /// One per model that was trained by epochs.
    pub learning: Vec<LearningCurve>,
    /// Models in the order given.
    pub models: Vec<ModelSummary>,
    /// Paired comparison on held-out records, when there are any.
    pub comparison: Option<Comparison>,
    /// Spread of the record log-likelihood by model and split.
    pub likelihood: Vec<SplitLikelihood>,
    /// One feature at a time: data against samples.
    pub marginals: Option<Marginals>,
    /// Two features at a time.
    pub correlations: Option<Correlations>,
    /// Whether p-values mean what they say.
    pub calibration: Option<Calibration>,
    /// What the linear layers of the flows became.
    pub learned: Vec<Learned>,
    /// The oddest records.
    pub outliers: Option<Outliers>,
    /// Flags for a reader to mark, when a table of them was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Against another cohort, when one was given.
    pub drift: Option<Drift>,
    /// Groups of records, when a column was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// Windows of waveforms; none for tables.
    pub waveform: Option<Waveforms>,
    /// Pictures; none for tables and windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Pictures>,
    /// Whether a record is a window or a picture, so that tables by coordinate are left out.
    pub windows: bool,
}

/// What the data say about the flow and the mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The flow explains held-out records better.
    Flow,
    /// The mixture does.
    Mixture,
    /// The difference is within its uncertainty.
    Undecided,
    /// Only one family was given.
    OneFamily,
    /// There is no test split.
    NoTest,
}

/// The answer in plain words.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// For machines.
    pub outcome: Outcome,
    /// One sentence.
    pub headline: String,
    /// The reasons, in order of weight.
    pub reasons: Vec<String>,
    /// What to be careful about.
    pub cautions: Vec<String>,
    /// What the flow is held against: "mixture", or "autoregression" for windows.
    pub opponent: &'static str,
    /// Mean difference flow − opponent, in nats per record.
    pub difference: Option<f64>,
    /// Its standard error over paired records.
    pub standard_error: Option<f64>,
    /// Records by split, "all" first.
    pub records: Vec<NamedCount>,
    /// Number of features.
    pub n_features: usize,
    /// Model shown in the sections about one model.
    pub leading: String,
}

/// A name with a count.
#[derive(Debug, Clone, Serialize)]
pub struct NamedCount {
    /// What is counted.
    pub name: String,
    /// How many.
    pub n: Cell,
}

/// Enough to repeat the report.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    /// Program that wrote the report.
    pub program_version: String,
    /// Program that built the bundle.
    pub bundle_version: String,
    /// Pipeline name.
    pub pipeline: String,
    /// What it does, in one line.
    pub pipeline_title: String,
    /// Schema name, empty for wide tables.
    pub schema: String,
    /// Fingerprint of the schema.
    pub schema_sha256: Option<String>,
    /// Fingerprint of the bundle.
    pub bundle_sha256: String,
    /// Seed of splits and noise.
    pub seed: u64,
    /// Draws of the noise behind each likelihood.
    pub draws: usize,
    /// Records of a split that were scored at most, where a split has more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored: Option<usize>,
    /// Shares of the subjects, as declared.
    pub split_rule: String,
    /// Records by split.
    pub splits: Vec<NamedCount>,
    /// Files read.
    pub inputs: Vec<Input>,
}

/// A file the bundle was made from.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// Name without folder.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}
