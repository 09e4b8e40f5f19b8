//! Chart rows of items that no shipped schema asks for, to bring CHARTEVENTS to a size: the full release's 330 million rows
//! are mostly such. Alarm limits, which monitors write hourly and nobody analyses.

use super::clock::Moment;
use super::draw::Draw;
use super::items::{self, Item};
use super::patient::{Stay, System};
use super::pen::Pen;
use super::writer::Table;
use crate::error::IoError;

/// The stays that alarm limits can be written for.
#[derive(Debug, Default)]
pub(super) struct Filler {
    stays: Vec<([u64; 3], System, Moment, f64)>,
}

impl Filler {
    /// Remembers a stay: subject, admission, and when it was how long.
    pub(super) fn meet(&mut self, subject: u64, admission: u64, stay: &Stay) {
        if stay.charted {
            let hours = (24.0 * stay.days).max(1.0);
            self.stays.push(([subject, admission, stay.id], stay.system, stay.arrived, hours));
        }
    }

    /// Writes rows until the table has `rows`.
    pub(super) fn fill(&self, table: &mut Table, rows: u64, draw: &mut Draw) -> Result<(), IoError> {
        let missing = rows.saturating_sub(table.count().1);
        for n in 0..if self.stays.is_empty() { 0 } else { missing } {
            let (ids, system, arrived, hours) = self.stays[(n % self.stays.len() as u64) as usize];
            let mut pen = Pen::new(table, ids, system, arrived);
            pen.turn(arrived.plus_hours(draw.between(0.0, hours)).minute(), draw);
            let pair = items::ALARMS[draw.below(items::ALARMS.len() as u64) as usize];
            let item: &Item = &pair[system as usize];
            pen.item(item, draw.between(5.0, 180.0).round())?;
        }
        Ok(())
    }
}
