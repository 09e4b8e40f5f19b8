//! One figure of the report, as a page of its own or as a drawing.

use std::fs;
use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::error::IoError;
use crate::features::Bundle;
use crate::ingest::{self, Cells};
use crate::output::{Staged, keep_inputs};
use crate::random::Seed;
use crate::report::{self, Privacy, figure};
use crate::schema::{Kind, words};

use super::report::name_of;
use super::{Error, error};

words! {
    /// Figures that can be had alone.
    pub enum Drawing {
        /// Missing values by feature of a bundle.
        Missing = "missing",
        /// Held-out records of a bundle against samples of a model, one drawing per feature.
        Marginals = "marginals",
        /// p-values of a table of flags.
        PValues = "p-values",
    }
}

/// What to draw.
#[derive(Debug, Clone, Copy)]
pub struct FigureRequest<'a> {
    /// Which figure.
    pub drawing: Drawing,
    /// Bundle folder; of p-values, a table that `flag` wrote.
    pub input: &'a Path,
    /// Model folder: whose samples are drawn, or behind the flags.
    pub model: Option<&'a Path>,
    /// Page (`.html`) or drawing (`.svg`) to write.
    pub output: &'a Path,
    /// Whether to replace an existing one.
    pub force: bool,
    /// Show small counts.
    pub identifiable: bool,
    /// Seed of samples, and of what spreads equal p-values.
    pub seed: Seed,
}

/// Draws and writes the figure.
///
/// # Errors
/// Whatever reading or drawing reports; a model that is not given or is of another bundle; data of which
/// there is no such figure; a name that ends neither in `.html` nor in `.svg`.
pub fn draw(request: &FigureRequest<'_>) -> Result<(), Error> {
    keep_inputs(request.output, [Some(request.input), request.model].into_iter().flatten())?;
    let page = ending(request.output)?;
    let staged = Staged::file(request.output, request.force)?;
    let (title, figures) = figures(request)?;
    let text = match (page, figures.as_slice()) {
        (true, _) => report::figure_page(&title, &figures)?,
        (false, [only]) => report::figure_svg(only),
        (false, several) => {
            return Err(Error::Usage {
                message: format!("there are {} drawings, and a file in .svg holds one", several.len()),
                hint: "end the name of the output in .html".into(),
            });
        }
    };
    fs::write(staged.path(), text).map_err(IoError::on("write", request.output))?;
    Ok(staged.commit()?)
}

/// Whether a page is written.
fn ending(output: &Path) -> Result<bool, Error> {
    match output.extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
        Some("html" | "htm") => Ok(true),
        Some("svg") => Ok(false),
        _ => Err(Error::Usage {
            message: format!("{}: a figure is a page or a drawing", output.display()),
            hint: "end the name in .html or .svg".into(),
        }),
    }
}

fn figures(request: &FigureRequest<'_>) -> Result<(String, Vec<figure::Figure>), Error> {
    let privacy = Privacy::new(request.identifiable);
    let model = || {
        let path = request.model.ok_or_else(|| Error::Usage {
            message: format!("the figure `{}` is about a model, and none is given", request.drawing.name()),
            hint: "name its folder by --model".into(),
        })?;
        Ok::<_, Error>((name_of(path), ModelArtifact::load(path)?))
    };
    let found = match request.drawing {
        Drawing::Missing => {
            let missing = report::missing_values(&bundle(request.input)?, privacy);
            if missing.is_empty() { Vec::new() } else { vec![figure::missing(&missing)?] }
        }
        Drawing::Marginals => {
            let (name, model) = model()?;
            let bundle = bundle(request.input)?;
            model.check_bundle(&bundle)?;
            let features = report::marginals(&bundle, (name, model), privacy, request.seed);
            let drawn: Result<Vec<_>, _> = features.iter().map(figure::marginal).collect();
            drawn?.into_iter().flatten().collect()
        }
        Drawing::PValues => {
            let (_, model) = model()?;
            let (p_values, steps) = p_values(request.input, model.calibration.len())?;
            let shares = report::p_value_shares(&p_values, &steps, privacy, request.seed);
            shares.as_ref().map(figure::p_values).transpose()?.into_iter().collect()
        }
    };
    if found.is_empty() {
        let (message, hint) = match request.drawing {
            Drawing::Missing => {
                ("no feature misses a value, so there is nothing to draw", "look at other figures")
            }
            Drawing::Marginals => (
                "the test split has too few records for a figure",
                "give a bundle with more records; --identifiable shows figures of few",
            ),
            Drawing::PValues => (
                "there are too few p-values for a figure, which wants 20 expected in each of five bins and \
                 none that tells of few records",
                "flag more records; --identifiable shows bins of few",
            ),
        };
        return Err(Error::Usage { message: message.into(), hint: hint.into() });
    }
    Ok((format!("{} · {}", name_of(request.input), request.drawing.name()), found))
}

fn bundle(path: &Path) -> Result<Bundle, Error> {
    let bundle = Bundle::open(path)?;
    if bundle.manifest.shape.has_separate_features() {
        return Ok(bundle);
    }
    Err(Error::Usage {
        message: format!(
            "{} holds signals or pictures, of which there are no figures by feature",
            path.display()
        ),
        hint: "the report has figures of them".into(),
    })
}

/// The p-values of a table of flags, and the step between those that each record can have.
fn p_values(path: &Path, n_calibration: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let names = ingest::column_names(path)?;
    let grouped = names.iter().any(|name| name.eq_ignore_ascii_case("n_calibration"));
    let mut wanted = vec![("p_value", Kind::Continuous)];
    wanted.extend(grouped.then_some(("n_calibration", Kind::Continuous)));
    let table = ingest::read_columns(path, &wanted)?;
    let numbers = |at: usize| -> Option<Vec<f64>> {
        match &table.columns.get(at)?.cells {
            Cells::Number(x) => Some(x.iter().collect()),
            Cells::Text(_) => None,
        }
    };
    let p = numbers(0).unwrap_or_default();
    if let Some(row) = p.iter().position(|p| !(*p > 0.0 && *p <= 1.0)) {
        return Err(error::labels(path, format!("row {}: `p_value` is no probability", row + 1)));
    }
    let n = numbers(1).unwrap_or_else(|| vec![n_calibration as f64; p.len()]);
    Ok((p, n.into_iter().map(|n| 1.0 / (n + 1.0)).collect()))
}
