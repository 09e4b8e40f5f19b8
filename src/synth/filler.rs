//! Chart rows of items that no built-in schema reads, which bring the table of the chart to a given size.
//! Most of the 330 million rows of the full release are of this kind. The rows are alarm limits, which
//! monitors write hourly and nobody analyses.

use super::bedside::Bedside;
use super::draw::Draw;
use super::items::{self, Item};
use super::patient::System;
use super::pen::Pen;
use super::record::{Place, Recorder};
use crate::error::IoError;

/// The stays for which alarm limits can be written.
#[derive(Debug, Default)]
pub(super) struct Filler {
    stays: Vec<(Place, System, f64)>,
}

impl Filler {
    /// Remembers a stay.
    pub(super) fn meet(&mut self, bedside: &Bedside<'_>) {
        if bedside.stay.charted {
            let hours = (24.0 * bedside.stay.days).max(1.0);
            self.stays.push((Place::of(bedside), bedside.stay.system, hours));
        }
    }

    /// Writes rows until the chart has `rows` of them.
    pub(super) fn fill(
        &self,
        recorder: &mut dyn Recorder,
        rows: u64,
        draw: &mut Draw,
    ) -> Result<(), IoError> {
        let missing = rows.saturating_sub(recorder.charted().unwrap_or(rows));
        for n in 0..if self.stays.is_empty() { 0 } else { missing } {
            let (place, system, hours) = self.stays[(n % self.stays.len() as u64) as usize];
            let mut pen = Pen::at(recorder, place, system);
            pen.turn(place.arrived.plus_hours(draw.between(0.0, hours)).minute(), draw);
            let pair = items::ALARMS[draw.below(items::ALARMS.len() as u64) as usize];
            let item: &Item = &pair[system as usize];
            pen.item(item, draw.between(5.0, 180.0).round())?;
        }
        Ok(())
    }
}
