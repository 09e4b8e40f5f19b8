//! What a wide table looks like, for a draft of its pipeline.

use std::path::Path;

use crate::schema::{DraftColumn, WideTable};

use super::build::{self, Building, Content};
use super::roles::{Decision, Role};
use super::survey::survey;
use super::table::{self, Rows};
use crate::ingest::text::shortest;
use crate::ingest::{Cells, IngestError, NoProgress};

/// Levels spelled out in a draft.
const LEVELS_SHOWN: usize = 12;

/// Decimal places looked for: measurements are rarely recorded to more than six.
const MOST_DECIMALS: i32 = 6;

/// The columns of a wide table with the roles they would be given, and what was met in them.
///
/// # Errors
/// As [`super::read_wide`].
pub fn draft_wide(input: &Path) -> Result<Vec<DraftColumn>, IngestError> {
    let wide = WideTable::undeclared();
    let files = table::find(input, None)?;
    let places = table::align(&files, &mut Vec::new())?;
    let surveyed = survey(&wide, &files, &places, &mut Vec::new(), &NoProgress)?;
    if surveyed.n_train == 0 {
        return Err(IngestError::Empty(files[0].name().to_string()));
    }
    let (header, decisions) = (&files[0].header, &surveyed.decisions);
    let is_feature = |role| matches!(role, Role::Number { .. } | Role::Levels);
    let features: Vec<usize> = (0..header.len()).filter(|&at| is_feature(decisions[at].role)).collect();
    let building = |&at: &usize| Building::new(&header[at], decisions[at].role, &decisions[at].spelling);
    let mut columns: Vec<Building<'_>> = features.iter().map(building).collect();
    for (file, places) in files.iter().zip(&places) {
        let wanted: Vec<usize> = features.iter().map(|&at| places[at]).collect();
        let mut rows = Rows::new(file);
        file.source.read(&wanted, |batch| build::add(&mut columns, file, batch, &mut rows))?;
    }
    let drafted = |(name, decision): (&String, &Decision)| {
        let column = columns.iter().find(|c| c.name == name.as_str());
        let note = match column.map(|c| &c.content) {
            Some(Content::Features(cells)) => note(cells),
            _ => String::new(),
        };
        DraftColumn { name: name.clone(), role: decision.role.name().to_string(), note }
    };
    Ok(header.iter().zip(decisions).map(drafted).collect())
}

/// What the cells of a feature hold, in a few words.
fn note(cells: &Cells) -> String {
    let mut parts = Vec::new();
    let (rows, missing) = match cells {
        Cells::Number(x) => {
            let values: Vec<f64> = x.iter().filter(|x| !x.is_nan()).collect();
            if !values.is_empty() {
                let low = values.iter().copied().fold(f64::INFINITY, f64::min);
                let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                parts.push(format!("{} to {}", shortest(low), shortest(high)));
                if let Some(places) = decimals(&values) {
                    parts.push(format!("in steps of {}", shortest(10f64.powi(-places))));
                }
            }
            (x.len(), x.len() - values.len())
        }
        Cells::Text(texts) => {
            let mut levels: Vec<&str> = texts.levels().collect();
            let known = texts.iter().flatten().count();
            levels.sort_unstable();
            let more = if levels.len() > LEVELS_SHOWN { ", …" } else { "" };
            levels.truncate(LEVELS_SHOWN);
            parts.push(format!("{}{more}", levels.join(", ")));
            (texts.len(), texts.len() - known)
        }
    };
    if missing > 0 {
        parts.push(format!("{:.1} % missing", 100.0 * missing as f64 / rows as f64));
    }
    parts.join("; ")
}

/// Decimal places that hold every number; none where they are more than [`MOST_DECIMALS`].
fn decimals(values: &[f64]) -> Option<i32> {
    let mut most = 0;
    for x in values {
        let fits = |places: &i32| {
            let scaled = x * 10f64.powi(*places);
            // A number written with so many places is within rounding of a whole number of them.
            (scaled - scaled.round()).abs() <= 1e-9 * scaled.abs().max(1.0)
        };
        most = (most..=MOST_DECIMALS).find(fits)?;
    }
    Some(most)
}
