//! Arguments that several commands share, and the parsers of option values.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::evaluate::ScoreKind;
use crate::features::DrawsBy;

#[derive(Debug, Args)]
pub(in crate::cli) struct Output {
    /// Where to write; the output appears complete or not at all. Tables go to standard output, as CSV, by -
    #[arg(short, long, value_name = "PATH")]
    pub(in crate::cli) output: PathBuf,

    /// Replace an existing output
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

pub(super) fn scores() -> impl TypedValueParser<Value = ScoreKind> {
    PossibleValuesParser::new(ScoreKind::ALL.map(ScoreKind::name)).try_map(|name| name.parse::<ScoreKind>())
}

pub(super) fn draws_by() -> impl TypedValueParser<Value = DrawsBy> {
    let named = |name: String| DrawsBy::ALL.into_iter().find(|by| by.name() == name);
    PossibleValuesParser::new(DrawsBy::ALL.map(DrawsBy::name))
        .try_map(move |name| named(name).ok_or("expected record or fixed"))
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    // A column's name may hold an equals sign; a role and a decimal mark do not.
    let names_a_column =
        ["role.", "decimal.", "missing."].iter().any(|key| text.trim_start().starts_with(key));
    match if names_a_column { text.rsplit_once('=') } else { text.split_once('=') } {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected KEY=VALUE, such as transform=none".into()),
    }
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x < 1.0 => Ok(x),
        _ => Err("expected a number between 0 and 1, such as 0.1".into()),
    }
}

pub(super) fn share_or_none(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if (0.0..1.0).contains(&x) => Ok(x),
        _ => Err("expected a number from 0 to 1, such as 0.02".into()),
    }
}

pub(super) fn trimmed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x <= 0.5 => Ok(x),
        _ => Err("expected a share above 0 and at most 0.5, such as 0.02".into()),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (number, factor) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1.0),
        Some(b'm') => (&text[..text.len() - 1], 60.0),
        Some(b'h') => (&text[..text.len() - 1], 3600.0),
        _ => (text, 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(x) if x > 0.0 && x * factor < 1e9 => Ok(Duration::from_secs_f64(x * factor)),
        _ => Err("expected a time such as 90s, 10m or 1h".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("1.5m").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("1h").unwrap(), Duration::from_hours(1));
        assert!(duration("soon").is_err() && duration("-1s").is_err() && duration("0").is_err());
    }
}
