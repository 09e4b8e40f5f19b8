//! What a wide table looks like, for a draft of its pipeline.

use std::path::Path;

use crate::schema::{DraftColumn, WideTable};

use super::roles::Role;
use super::rows::Cell;
use super::{MISSING, align, find, infer};
use crate::ingest::IngestError;
use crate::ingest::text::{parse_number, shortest};

/// Levels spelled out in a draft.
const LEVELS_SHOWN: usize = 12;

/// Decimal places looked for: measurements are rarely recorded to more than six.
const MOST_DECIMALS: i32 = 6;

/// The columns of a wide table with the roles they would be given, and what was met in them.
///
/// # Errors
/// As [`super::read_wide`], except that cells are taken as they are.
pub fn draft_wide(input: &Path) -> Result<Vec<DraftColumn>, IngestError> {
    let wide = WideTable {
        id: None,
        group: None,
        split: None,
        kinds: Vec::new(),
        ignore: Vec::new(),
        missing: MISSING.iter().map(ToString::to_string).collect(),
    };
    let files = find(input)?;
    let places = align(&files, &mut Vec::new())?;
    let (roles, n) = infer(&wide, &files, &places, &mut Vec::new())?;
    if n == 0 {
        return Err(IngestError::Empty(files[0].file.name.clone()));
    }
    let header = &files[0].header;
    let mut met: Vec<Met> = header.iter().map(|_| Met::default()).collect();
    for (file, places) in files.iter().zip(&places) {
        file.rows(&wide.missing, |_, cells| {
            for (met, place) in met.iter_mut().zip(places) {
                met.add(cells[*place]);
            }
            Ok(())
        })?;
    }
    let column = |((name, role), met): ((&String, &Role), Met)| {
        let role_name = match role {
            Role::Id => "id",
            Role::Group => "group",
            Role::Split => "split",
            Role::Number { kind, .. } => kind.name(),
            Role::Levels => "categorical",
            Role::Ignored => "ignore",
        };
        DraftColumn { name: name.clone(), role: role_name.to_string(), note: met.note(*role) }
    };
    Ok(header.iter().zip(&roles).zip(met).map(column).collect())
}

/// What was met in a column.
#[derive(Default)]
struct Met {
    rows: u64,
    missing: u64,
    low: Option<f64>,
    high: Option<f64>,
    /// Decimal places that hold every number so far; none beyond [`MOST_DECIMALS`].
    decimals: Option<i32>,
    finer: bool,
    levels: Vec<String>,
    more_levels: bool,
}

impl Met {
    fn add(&mut self, cell: Cell<'_>) {
        self.rows += 1;
        match cell {
            Cell::Missing => self.missing += 1,
            Cell::Number(x) => self.number(x),
            Cell::Integer(x) => self.number(x as f64),
            Cell::Text(text) => match parse_number(text) {
                Some(x) => self.number(x),
                None => self.level(text),
            },
            Cell::Bool(_) | Cell::Date => {}
        }
    }

    fn number(&mut self, x: f64) {
        if !x.is_finite() {
            return;
        }
        self.low = Some(self.low.map_or(x, |low| low.min(x)));
        self.high = Some(self.high.map_or(x, |high| high.max(x)));
        let fits = |places: &i32| {
            let scaled = x * 10f64.powi(*places);
            // A number written with so many places is within rounding of a whole number of them.
            (scaled - scaled.round()).abs() <= 1e-9 * scaled.abs().max(1.0)
        };
        match (self.decimals.unwrap_or(0)..=MOST_DECIMALS).find(fits) {
            Some(places) => self.decimals = Some(places),
            None => self.finer = true,
        }
    }

    fn level(&mut self, text: &str) {
        if self.levels.iter().any(|l| l == text) {
            return;
        }
        if self.levels.len() < LEVELS_SHOWN {
            self.levels.push(text.to_string());
        } else {
            self.more_levels = true;
        }
    }

    fn note(&self, role: Role) -> String {
        let mut parts = Vec::new();
        match role {
            Role::Number { .. } => {
                if let (Some(low), Some(high)) = (self.low, self.high) {
                    parts.push(format!("{} to {}", shortest(low), shortest(high)));
                }
                if let (Some(places), false) = (self.decimals, self.finer) {
                    parts.push(format!("in steps of {}", shortest(10f64.powi(-places))));
                }
            }
            Role::Levels => {
                let mut levels = self.levels.clone();
                levels.sort();
                let more = if self.more_levels { ", …" } else { "" };
                parts.push(format!("{}{more}", levels.join(", ")));
            }
            Role::Id | Role::Group | Role::Split | Role::Ignored => {}
        }
        if self.missing > 0 {
            let share = 100.0 * self.missing as f64 / self.rows as f64;
            parts.push(format!("{share:.1} % missing"));
        }
        parts.join("; ")
    }
}
