//! `--set key=value` on a pipeline: all or nothing, with every problem named at once.

use std::str::FromStr;

use super::error::{SchemaError, SettingProblem};
use super::pipeline::separator;
use super::resolve::{check_min_level_patients, check_min_observed, check_split, check_window};
use super::{DecimalMark, Kind, MissingParts, Pipeline, PipelineKind, TransformKind, WideTable};
use super::{grid, suggest, waveform};

/// Keys besides `role.COLUMN` and those of waveforms.
const KEYS: [&str; 20] = [
    "transform",
    "dequantize",
    "seed",
    "min_observed",
    "min_level_patients",
    "missing_parts",
    "episodes",
    "window.start",
    "window.end",
    "window.until_end",
    "split.train",
    "split.validation",
    "split.calibration",
    "split.test",
    "role.COLUMN",
    "missing",
    "missing.COLUMN",
    "decimal",
    "decimal.COLUMN",
    "separator",
];

/// Roles of a wide table's column that are not kinds.
const ROLES: [&str; 5] = ["id", "group", "split", "label", "ignore"];

type Wrong = (String, Option<String>);

/// Applies overrides in order; the pipeline is unchanged when any of them is wrong.
///
/// Keys: `transform`, `dequantize`, `seed`, `min_observed`, `min_level_patients`,
/// `missing_parts=normal|missing`, `episodes=true|false`,
/// `window.start|end|until_end`, `split.train|validation|calibration|test`, and for wide tables
/// `role.COLUMN=continuous|count|ordinal|binary|categorical|id|group|split|label|ignore`, `missing=TEXT,…`,
/// `missing.COLUMN=TEXT,…`, `decimal=point|comma` and `decimal.COLUMN=point|comma`.
///
/// # Errors
/// [`SchemaError::Settings`] with everything that is wrong.
pub fn apply_settings(pipeline: &mut Pipeline, settings: &[(String, String)]) -> Result<(), SchemaError> {
    let mut changed = pipeline.clone();
    let mut problems = Vec::new();
    for (key, value) in settings {
        if let Err((message, hint)) = apply(&mut changed, key.trim(), value.trim()) {
            problems.push(SettingProblem { key: key.clone(), message, hint });
        }
    }
    // Whether parts fit together shows only after all of them are set, and is blamed on the last that could
    // be.
    let refused: Vec<String> = problems.iter().map(|p| p.key.clone()).collect();
    let mut together = |prefix: &str, message: String| {
        let mut applied = settings.iter().rev().map(|(key, _)| key).filter(|key| !refused.contains(key));
        if let Some(key) = applied.find(|key| key.trim().starts_with(prefix)) {
            problems.push(SettingProblem { key: key.clone(), message, hint: None });
        }
    };
    for (_, message) in check_split(&changed.split) {
        together("split.", message);
    }
    match changed.kind() {
        PipelineKind::Cohort => {
            if let Err(message) = check_window(&changed.window) {
                together("window.", message);
            }
        }
        PipelineKind::Table(_) => {}
        PipelineKind::Windows(waveform) => {
            for (key, message) in waveform.check() {
                // Keys that only together are wrong are blamed on either.
                together(if key == "normalise" { "" } else { key }, message);
            }
        }
        PipelineKind::Grid(grid) => {
            if let Some((key, message)) = grid.check() {
                together(key, message);
            }
        }
    }
    if !problems.is_empty() {
        return Err(SchemaError::Settings { problems });
    }
    *pipeline = changed;
    Ok(())
}

fn apply(pipeline: &mut Pipeline, key: &str, value: &str) -> Result<(), Wrong> {
    if let Some(column) = key.strip_prefix("role.") {
        return role(pipeline, column, value);
    }
    for (name, apply) in [("missing", missing as OfColumn), ("decimal", decimal)] {
        if let Some(column) = key.strip_prefix(name)
            && let Some(column) =
                if column.is_empty() { Some(None) } else { column.strip_prefix('.').map(Some) }
        {
            let Some(wide) = pipeline.wide.as_mut() else {
                return Err(("set for wide tables only".into(), None));
            };
            if column == Some("") {
                return Err(("no column is named".into(), Some(format!("write `--set {name}.COLUMN=…`"))));
            }
            return apply(wide, column, value);
        }
    }
    if let Some(waveform) = pipeline.waveform.as_mut() {
        if let Some(outcome) = waveform.set(key, value) {
            return outcome.map_err(|message| (message, None));
        }
        if key.starts_with("window.") {
            let hint = "say `--set window=1024`".to_owned();
            return Err(("windows of waveforms are counted in samples".into(), Some(hint)));
        }
    } else if waveform::KEYS.contains(&key) {
        return Err(("set for waveform pipelines only".into(), None));
    }
    if let Some(grid) = pipeline.grid.as_mut() {
        if let Some(outcome) = grid.set(key, value) {
            return outcome.map_err(|message| (message, None));
        }
        if grid::NOT_FOR_PICTURES.contains(&key) || key.starts_with("window.") {
            let hint = format!("pictures have {}", suggest::quoted(&grid::KEYS));
            return Err(("has no meaning for pictures".into(), Some(hint)));
        }
    } else if grid::KEYS.contains(&key) {
        return Err(("set for pipelines of pictures only".into(), None));
    }
    if key.starts_with("window.") && matches!(pipeline.kind(), PipelineKind::Table(_)) {
        return Err(("a wide table has no times, so no window either".into(), None));
    }
    match key {
        "separator" => {
            let wide = pipeline.wide.as_mut().ok_or_else(|| ("set for wide tables only".to_owned(), None))?;
            wide.separator = Some(separator(value).ok_or_else(|| {
                (
                    format!("must be one character, or comma, semicolon, tab, pipe or space, got `{value}`"),
                    None,
                )
            })?);
        }
        "transform" => pipeline.transform = transform(value)?,
        "dequantize" => pipeline.dequantize = flag(value)?,
        "seed" => pipeline.seed = parsed(value, "a whole number, 0 or more")?,
        "min_observed" => {
            pipeline.min_observed = number(value)?;
            check_min_observed(pipeline.min_observed).map_err(|message| (message, None))?;
        }
        "min_level_patients" => {
            pipeline.min_level_patients = parsed(value, "a whole number, 1 or more")?;
            check_min_level_patients(pipeline.min_level_patients).map_err(|message| (message, None))?;
        }
        "missing_parts" => {
            pipeline.missing_parts =
                MissingParts::ALL.into_iter().find(|word| word.name() == value).ok_or_else(|| {
                    let hint = "normal counts a part of a score without any entry as normal; missing makes \
                                the score missing";
                    (format!("must be normal or missing, got `{value}`"), Some(hint.to_owned()))
                })?;
        }
        "episodes" => pipeline.episodes = flag(value)?,
        "window.start" => pipeline.window.start_hours = number(value)?,
        "window.end" => pipeline.window.end_hours = number(value)?,
        "window.until_end" => pipeline.window.until_end = flag(value)?,
        "split.train" => pipeline.split.train = number(value)?,
        "split.validation" => pipeline.split.validation = number(value)?,
        "split.calibration" => pipeline.split.calibration = number(value)?,
        "split.test" => pipeline.split.test = number(value)?,
        _ => {
            let hint = suggest::closest(key, KEYS).map(|s| format!("did you mean `{s}`?"));
            let hint = hint.unwrap_or_else(|| format!("allowed are {}", suggest::quoted(&KEYS)));
            return Err(("unknown key".into(), Some(hint)));
        }
    }
    Ok(())
}

type OfColumn = fn(&mut WideTable, Option<&str>, &str) -> Result<(), Wrong>;

/// Adds texts read as missing, in one column or in all.
fn missing(wide: &mut WideTable, column: Option<&str>, value: &str) -> Result<(), Wrong> {
    let codes: Vec<String> =
        value.split(',').map(str::trim).filter(|c| !c.is_empty()).map(str::to_owned).collect();
    if codes.is_empty() {
        return Err(("no text is given".into(), Some("write `--set missing=-999,unknown`".into())));
    }
    match column {
        None => wide.missing.extend(codes),
        Some(column) => wide.missing_in.push((column.to_owned(), codes)),
    }
    Ok(())
}

/// Sets the decimal mark, of one column or of all.
fn decimal(wide: &mut WideTable, column: Option<&str>, value: &str) -> Result<(), Wrong> {
    let mark = DecimalMark::ALL.into_iter().find(|mark| mark.name() == value);
    let mark = mark.ok_or_else(|| (format!("must be point or comma, got `{value}`"), None))?;
    match column {
        None => wide.decimal = Some(mark),
        Some(column) => wide.decimal_in.push((column.to_owned(), mark)),
    }
    Ok(())
}

/// A column has one role: the new one replaces what the file said of it.
fn role(pipeline: &mut Pipeline, column: &str, value: &str) -> Result<(), Wrong> {
    let Some(wide) = pipeline.wide.as_mut() else {
        let hint = "the roles of other pipelines follow from their schema";
        return Err(("roles are set for wide tables only".into(), Some(hint.into())));
    };
    if column.is_empty() {
        return Err(("no column is named".into(), Some("write `--set role.COLUMN=KIND`".into())));
    }
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == value);
    if kind.is_none() && !ROLES.contains(&value) {
        let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).chain(ROLES).collect();
        let similar = suggest::closest(value, names.iter().copied()).map(|s| format!("did you mean `{s}`?"));
        return Err((format!("unknown role `{value}`; allowed are {}", suggest::quoted(&names)), similar));
    }
    let WideTable { id, group, split, kinds, ignore, labels, .. } = wide;
    for single in [&mut *id, &mut *group, &mut *split] {
        if single.as_deref() == Some(column) {
            *single = None;
        }
    }
    kinds.retain(|(name, _)| name != column);
    ignore.retain(|name| name != column);
    labels.retain(|name| name != column);
    let column = column.to_owned();
    match (kind, value) {
        (Some(kind), _) => kinds.push((column, kind)),
        (None, "id") => *id = Some(column),
        (None, "group") => *group = Some(column),
        (None, "split") => *split = Some(column),
        (None, "label") => labels.push(column),
        (None, _) => ignore.push(column),
    }
    Ok(())
}

fn transform(value: &str) -> Result<TransformKind, Wrong> {
    TransformKind::ALL.into_iter().find(|t| t.name() == value).ok_or_else(|| {
        let names: Vec<_> = TransformKind::ALL.into_iter().map(TransformKind::name).collect();
        let similar = suggest::closest(value, names.iter().copied()).map(|s| format!("did you mean `{s}`?"));
        (format!("unknown transform `{value}`; allowed are {}", suggest::quoted(&names)), similar)
    })
}

/// `dequantize=none` reads better than `dequantize=false`; both work.
fn flag(value: &str) -> Result<bool, Wrong> {
    match value {
        "true" | "yes" | "uniform" => Ok(true),
        "false" | "no" | "none" => Ok(false),
        _ => Err((format!("must be true or false, got `{value}`"), None)),
    }
}

fn number(value: &str) -> Result<f64, Wrong> {
    let number: f64 = parsed(value, "a number")?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err((format!("must be a finite number, got `{value}`"), None))
    }
}

fn parsed<T: FromStr>(value: &str, wanted: &str) -> Result<T, Wrong> {
    value.parse().map_err(|_| (format!("must be {wanted}, got `{value}`"), None))
}

#[cfg(test)]
mod tests;
