//! Chart rows of items that no built-in schema reads, which bring CHARTEVENTS to a given size. Most of the
//! 330 million rows of the full release are of this kind. The rows are alarm limits, which monitors write
//! hourly and nobody analyses.

use super::clock::Moment;
use super::draw::Draw;
use super::items::{self, Item};
use super::patient::{Stay, System};
use super::pen::Pen;
use super::writer::Table;
use crate::error::IoError;

/// The stays for which alarm limits can be written.
#[derive(Debug, Default)]
pub(super) struct Filler {
    stays: Vec<([u64; 3], System, Moment, f64)>,
}

impl Filler {
    /// Remembers a stay with its subject, admission, beginning and length.
    pub(super) fn meet(&mut self, subject: u64, admission: u64, stay: &Stay) {
        if stay.charted {
            let hours = (24.0 * stay.days).max(1.0);
            self.stays.push(([subject, admission, stay.id], stay.system, stay.arrived, hours));
        }
    }

    /// Writes rows until the table has `rows` of them.
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
