//! The `[waveform]` section of a pipeline.

use toml::Spanned;

use crate::schema::parse::Section;
use crate::schema::waveform::{Normalise, SplitBy, Waveform};

/// Reads the section; what is wrong is left in its problems.
pub(super) fn waveform(section: &Section<'_>) -> Waveform {
    section.require("channels");
    section.require("window");
    let channels = section.texts("channels").map_or_else(Vec::new, |list| {
        list.into_inner().into_iter().map(|c| (*c.get_ref()).trim().to_owned()).collect()
    });
    let count = |key| section.count(key).map(|n| usize::try_from(n.into_inner()).unwrap_or(usize::MAX));
    let window = count("window").unwrap_or(0);
    let number = |key, default| section.number(key).map_or(default, Spanned::into_inner);
    let waveform = Waveform {
        channels,
        window,
        past: count("past").unwrap_or(0),
        stride: count("stride").unwrap_or(window),
        max_missing: number("max_missing", 0.0),
        max_step: number("max_step", 1.5),
        normalise: section
            .choice("normalise", &Normalise::ALL, Normalise::name)
            .map_or(Normalise::Record, Spanned::into_inner),
        split_by: section
            .choice("split_by", &SplitBy::ALL, SplitBy::name)
            .map_or(SplitBy::Time, Spanned::into_inner),
        frequency: section.number("frequency").map(Spanned::into_inner),
    };
    for (key, message) in waveform.check() {
        if section.has(key) {
            section.problems.add(section.key_span(key), message);
        }
    }
    waveform
}
