//! Fills the templates of `reports/` with the data and the figures.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::data::{Marginal, ReportData};
use super::figure::{self, Figure};
use super::{ReportError, format};
use crate::num::hex::hex;

const STYLE: &str = include_str!("../../reports/style.css");
const SCRIPT: &str = include_str!("../../reports/report.js");
/// Of pages with flags to review.
const REVIEW: &str = include_str!("../../reports/review.js");

const TEMPLATES: &[(&str, &str)] = &[
    ("report.html.j2", include_str!("../../reports/report.html.j2")),
    ("figures.html.j2", include_str!("../../reports/figures.html.j2")),
    ("macros.html.j2", include_str!("../../reports/macros.html.j2")),
    ("verdict.html.j2", include_str!("../../reports/sections/verdict.html.j2")),
    ("provenance.html.j2", include_str!("../../reports/sections/provenance.html.j2")),
    ("cohort.html.j2", include_str!("../../reports/sections/cohort.html.j2")),
    ("summary.html.j2", include_str!("../../reports/sections/summary.html.j2")),
    ("quality.html.j2", include_str!("../../reports/sections/quality.html.j2")),
    ("learning.html.j2", include_str!("../../reports/sections/learning.html.j2")),
    ("comparison.html.j2", include_str!("../../reports/sections/comparison.html.j2")),
    ("likelihood.html.j2", include_str!("../../reports/sections/likelihood.html.j2")),
    ("marginals.html.j2", include_str!("../../reports/sections/marginals.html.j2")),
    ("correlations.html.j2", include_str!("../../reports/sections/correlations.html.j2")),
    ("calibration.html.j2", include_str!("../../reports/sections/calibration.html.j2")),
    ("learned.html.j2", include_str!("../../reports/sections/learned.html.j2")),
    ("drift.html.j2", include_str!("../../reports/sections/drift.html.j2")),
    ("groups.html.j2", include_str!("../../reports/sections/groups.html.j2")),
    ("outliers.html.j2", include_str!("../../reports/sections/outliers.html.j2")),
    ("review.html.j2", include_str!("../../reports/sections/review.html.j2")),
    ("cost.html.j2", include_str!("../../reports/sections/cost.html.j2")),
    ("waveform.html.j2", include_str!("../../reports/sections/waveform.html.j2")),
    ("pictures.html.j2", include_str!("../../reports/sections/pictures.html.j2")),
    ("limits.html.j2", include_str!("../../reports/sections/limits.html.j2")),
];

/// Sections of the page in the order of a reader's questions: anchor and heading, grouped by question. Every
/// page has all of them but drift, which needs another cohort, groups, which need a column, and the review of
/// a table of flags.
type Sections = &'static [(&'static str, &'static str)];
const PARTS: &[(&str, &str, Sections)] = &[
    (
        "trust",
        "Can I trust this model?",
        &[
            ("verdict", "Verdict"),
            ("waveform", "Windows: real and sampled"),
            ("pictures", "Pictures: real and sampled"),
            ("calibration", "Calibration"),
            ("marginals", "Samples: one feature at a time"),
            ("correlations", "Samples: pairs of features"),
            ("likelihood", "Likelihood by split"),
            ("learning", "Learning curves"),
        ],
    ),
    (
        "records",
        "What does the cohort look like?",
        &[("cohort", "Cohort"), ("summary", "Features"), ("quality", "Missing values and alerts")],
    ),
    ("drifted", "How does it differ from the older cohort?", &[("drift", "Drift")]),
    ("grouped", "Does the model fit all groups alike?", &[("groups", "Groups")]),
    (
        "models",
        "How do flow and mixture compare?",
        &[
            ("comparison", "Held-out likelihood"),
            ("cost", "Cost"),
            ("learned", "What the linear layers learned"),
        ],
    ),
    ("odd", "Which records are odd, and why?", &[("outliers", "Odd records"), ("review", "Flags to review")]),
    (
        "behind",
        "What is behind this page?",
        &[("provenance", "Provenance"), ("limits", "Limits and glossary")],
    ),
];

#[derive(Serialize)]
struct Part {
    id: &'static str,
    title: &'static str,
    sections: Vec<&'static (&'static str, &'static str)>,
}

#[derive(Serialize)]
struct Figures<'a> {
    flow: Option<Figure>,
    missing: Option<Figure>,
    learning: Vec<Figure>,
    held_out: Option<Figure>,
    differences: Option<Figure>,
    by_split: Option<Figure>,
    marginals: Vec<MarginalFigure<'a>>,
    correlations: Vec<Figure>,
    p_values: Option<Figure>,
    regions: Option<Figure>,
    learned: Vec<Figure>,
    drift: Option<Figure>,
    drift_likelihood: Vec<Figure>,
    quantiles: Option<Figure>,
    cost: Option<Figure>,
    traces: Vec<Figure>,
    spectra: Vec<Figure>,
    over_time: Vec<Figure>,
    odd_windows: Vec<Figure>,
    pictures: figure::PictureFigures,
}

#[derive(Serialize)]
struct MarginalFigure<'a> {
    feature: &'a Marginal,
    figure: Figure,
}

impl<'a> Figures<'a> {
    fn draw(data: &'a ReportData) -> Result<Self, ReportError> {
        let comparison = data.comparison.as_ref();
        let several = comparison.filter(|c| c.rows.len() > 1);
        let calibration = data.calibration.as_ref();
        let mut marginals = Vec::new();
        for feature in data.marginals.iter().flat_map(|m| &m.features) {
            if let Some(figure) = figure::marginal(feature)? {
                marginals.push(MarginalFigure { feature, figure });
            }
        }
        let mut correlations = Vec::new();
        if let Some(c) = data.correlations.as_ref().filter(|c| c.labels.len() > 1) {
            correlations.push(figure::correlation(
                &format!("Records ({})", c.split),
                &c.labels,
                &c.data,
                1.0,
            )?);
            correlations.push(figure::correlation("Samples", &c.labels, &c.samples, 1.0)?);
            // Differences are an order of magnitude smaller than correlations.
            correlations.push(figure::correlation("Samples − records", &c.labels, &c.difference, 0.3)?);
        }
        let mut drift_likelihood = Vec::new();
        for joint in data.drift.iter().flat_map(|d| &d.joint) {
            drift_likelihood.extend(figure::drifted_likelihood(joint)?);
        }
        let windows = data.waveform.as_ref();
        let (mut traces, mut odd_windows) = (Vec::new(), Vec::new());
        if let Some(w) = windows {
            for t in &w.traces {
                let title = format!("{}, {} {}", t.channel, t.source, t.number);
                traces.push(figure::traces(&title, "", &[t], w.frequency)?);
            }
            for odd in &w.odd {
                odd_windows.extend(figure::odd_window(odd, w.frequency)?);
            }
        }
        Ok(Self {
            flow: (!data.cohort.steps.is_empty())
                .then(|| figure::flow(&data.cohort, &data.provenance.splits))
                .transpose()?,
            missing: (!data.missing.is_empty()).then(|| figure::missing(&data.missing)).transpose()?,
            learning: data.learning.iter().map(figure::learning_curve).collect::<Result<_, _>>()?,
            held_out: comparison.map(figure::held_out).transpose()?,
            differences: several.map(figure::differences).transpose()?,
            by_split: (!data.likelihood.is_empty())
                .then(|| figure::by_split(&data.likelihood))
                .transpose()?,
            marginals,
            correlations,
            p_values: calibration.and_then(|c| c.histogram.as_ref()).map(figure::p_values).transpose()?,
            regions: calibration
                .and_then(|c| c.regions.as_ref())
                .filter(|r| r.points.len() > 1)
                .map(figure::regions)
                .transpose()?,
            learned: figure::learned(&data.learned)?,
            drift: data.drift.as_ref().map(figure::drifts).transpose()?.flatten(),
            drift_likelihood,
            quantiles: calibration.and_then(|c| c.qq.as_ref()).map(figure::quantiles).transpose()?,
            cost: figure::training_time(&data.models)?,
            traces,
            spectra: windows
                .iter()
                .flat_map(|w| &w.spectra)
                .map(figure::spectrum)
                .collect::<Result<_, _>>()?,
            over_time: windows
                .iter()
                .flat_map(|w| &w.over_time)
                .map(figure::over_time)
                .collect::<Result<_, _>>()?,
            odd_windows,
            pictures: data.pictures.as_ref().map(figure::pictures).unwrap_or_default(),
        })
    }
}

/// Whether the page has a section: drift needs another cohort, groups need a column, a review needs flags,
/// and of windows and pictures there are no tables by coordinate.
fn has(data: &ReportData, section: &str) -> bool {
    match section {
        "drift" => data.drift.is_some(),
        "review" => data.review.is_some(),
        "groups" => data.groups.is_some(),
        "waveform" => data.windows && data.pictures.is_none(),
        "pictures" => data.pictures.is_some(),
        "marginals" | "correlations" | "summary" => !data.windows,
        _ => true,
    }
}

/// The page. Equal data give equal bytes.
///
/// # Errors
/// [`ReportError::Draw`] and [`ReportError::Template`]; both are faults of this program.
pub fn render(data: &ReportData) -> Result<String, ReportError> {
    let figures = Figures::draw(data)?;
    let environment = environment()?;
    let scripts: Vec<&str> =
        [Some(SCRIPT), data.review.as_ref().map(|_| REVIEW)].into_iter().flatten().collect();
    let parts: Vec<Part> = PARTS
        .iter()
        .map(|(id, title, sections)| Part {
            id,
            title,
            sections: sections.iter().filter(|s| has(data, s.0)).collect(),
        })
        .filter(|p| !p.sections.is_empty())
        .collect();
    let page = environment.get_template("report.html.j2")?.render(context! {
        data => Serde(data),
        figures => Serde(figures),
        parts => Serde(&parts),
        // Rows of one table: a page of thousands of features stays one that a browser opens.
        shown_rows => 500,
        style => STYLE,
        policy => policy(&scripts),
        scripts => scripts,
    })?;
    Ok(cleaned(&page))
}

/// Figures alone, with the tables behind them, in the style of the report.
///
/// # Errors
/// [`ReportError::Template`], a fault of this program.
pub fn figure_page(title: &str, figures: &[Figure]) -> Result<String, ReportError> {
    let scripts = [SCRIPT];
    let page = environment()?.get_template("figures.html.j2")?.render(context! {
        title => title,
        figures => Serde(figures),
        style => STYLE,
        policy => policy(&scripts),
        scripts => scripts,
    })?;
    Ok(cleaned(&page))
}

/// A drawing as a file of its own, which brings the colours along.
pub fn figure_svg(figure: &Figure) -> String {
    // Pages that hold several drawings need names of their own for each, and colours that stay within it.
    let digest = Sha256::digest(&figure.svg);
    let name = hex(&digest[..4]);
    let colours =
        STYLE.split_once(":root {").and_then(|(_, rest)| rest.split_once('}')).map_or("", |(c, _)| c);
    let style = format!(
        "<style>svg.figure-{name} {{{colours} background: var(--page); \
         font-family: system-ui, sans-serif; }}</style>"
    );
    let svg = figure.svg.replacen(
        "<svg ",
        &format!("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure-{name}\" "),
        1,
    );
    let svg = svg.replacen("aria-labelledby=\"t d\"", &format!("aria-labelledby=\"t-{name} d-{name}\""), 1);
    let svg = svg.replacen("<title id=\"t\">", &format!("<title id=\"t-{name}\">"), 1);
    let svg = svg.replacen("<desc id=\"d\">", &format!("<desc id=\"d-{name}\">"), 1);
    format!("{}\n", svg.replacen("</desc>", &format!("</desc>{style}"), 1))
}

fn environment() -> Result<Environment<'static>, ReportError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A template's own line breaks around its tags are not the page's.
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    add_filters(&mut environment);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// Only our own style and scripts run, and nothing is ever fetched: whatever a column name may contain.
fn policy(scripts: &[&str]) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        scripts.iter().map(|script| hash(script)).collect::<Vec<_>>().join(" ")
    )
}

/// The page without what no page may hold.
fn cleaned(page: &str) -> String {
    let page = figure::number_drawings(page);
    // HTML forbids other control characters even escaped; a column name may hold any.
    let page = page.replace(|c: char| c.is_control() && c != '\n', " ");
    // Marks that turn the direction of writing around would reach beyond the name that holds them.
    page.replace(|c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'), "\u{fffd}")
}

/// The same numbers for machines: indented JSON in a fixed order, ended by a line break.
pub fn to_json(data: &ReportData) -> String {
    let mut text = serde_json::to_string_pretty(data).expect("invariant: plain structs with text keys");
    text.push('\n');
    text
}

fn add_filters(environment: &mut Environment<'_>) {
    // A missing number is a dash; what is text already (a hidden count) stays.
    fn number(value: &Value, format: impl Fn(f64) -> String) -> String {
        if value.is_none() || value.is_undefined() {
            return format::NONE.into();
        }
        match f64::try_from(value.clone()) {
            Ok(v) => format(v),
            Err(_) => value.to_string(),
        }
    }
    environment.add_filter("count", |v: Value| number(&v, format::count));
    environment.add_filter("percent", |v: Value| number(&v, |v| format::fixed(v, 1)));
    environment.add_filter("fixed", |v: Value, digits: usize| number(&v, |v| format::fixed(v, digits)));
    environment.add_filter("signed", |v: Value, digits: usize| number(&v, |v| format::signed(v, digits)));
    environment.add_filter("significant", |v: Value| number(&v, |v| format::significant(v, 4)));
    environment.add_filter("probability", |v: Value| number(&v, format::probability));
    environment.add_filter("seconds", |v: Value| number(&v, format::seconds));
    environment.add_filter("capitalize_first", |v: String| {
        let mut rest = v.chars();
        rest.next().map_or_else(String::new, |c| c.to_uppercase().chain(rest).collect::<String>())
    });
    environment.add_filter("bytes", |v: Value| number(&v, format::bytes));
}
