//! The `[waveform]` section of a pipeline.

use crate::schema::problems::Problems;
use crate::schema::raw::{self, Get, key};
use crate::schema::{Normalise, SplitBy, Waveform};

/// Resolves the section; what is wrong with a key that is given is told there.
pub(super) fn waveform(problems: &Problems<'_>, raw: &raw::Waveform) -> Waveform {
    let channels =
        raw.channels.get().map(|list| list.items().map(|c| c.get_ref().trim().to_owned()).collect());
    let count = |n: Option<u64>| n.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let window = count(raw.window.copied()).unwrap_or(0);
    let waveform = Waveform {
        channels: channels.unwrap_or_default(),
        window,
        past: count(raw.past.copied()).unwrap_or(0),
        stride: count(raw.stride.copied()).unwrap_or(window),
        max_missing: raw.max_missing.copied().unwrap_or(0.0),
        max_step: raw.max_step.copied().unwrap_or(1.5),
        normalise: raw.normalise.copied().unwrap_or(Normalise::Record),
        split_by: raw.split_by.copied().unwrap_or(SplitBy::Time),
        frequency: raw.frequency.copied(),
    };
    for (name, message) in waveform.check() {
        let at = match name {
            "channels" => raw.channels.get().map(|_| raw.channels.key.clone()),
            "window" => raw.window.get().map(|_| raw.window.key.clone()),
            "stride" => key(&raw.stride),
            "max_missing" => key(&raw.max_missing),
            "max_step" => key(&raw.max_step),
            "frequency" => key(&raw.frequency),
            _ => key(&raw.normalise).or_else(|| key(&raw.split_by)),
        };
        if let Some(at) = at {
            problems.add(at, message);
        }
    }
    waveform
}
