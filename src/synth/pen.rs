//! The chart of one stay: what is written when, and by whom.

use super::bedside::Bedside;
use super::clock::Moment;
use super::draw::Draw;
use super::items::{Item, Pair};
use super::patient::System;
use super::record::{Charted, Entry, Place, Recorder};
use crate::error::IoError;

/// Writes the rows of one stay.
pub(super) struct Pen<'t> {
    recorder: &'t mut dyn Recorder,
    place: Place,
    pub(super) system: System,
    at: Moment,
    stored: Moment,
    caregiver: u64,
    nonsense: f64,
}

impl<'t> Pen<'t> {
    /// Prepares the rows of one stay.
    pub(super) fn new(recorder: &'t mut dyn Recorder, bedside: &Bedside<'_>) -> Self {
        Self::at(recorder, Place::of(bedside), bedside.stay.system)
    }

    /// Prepares rows of a stay of which only the place is known.
    pub(super) fn at(recorder: &'t mut dyn Recorder, place: Place, system: System) -> Self {
        // A device that writes every five minutes fails as often in a day as one that writes every hour.
        let nonsense = 0.000_15 * f64::from(recorder.vitals_every()) / 60.0;
        Self { recorder, place, system, at: place.arrived, stored: place.arrived, caregiver: 0, nonsense }
    }

    /// Minutes between two sets of vital signs.
    pub(super) fn vitals_every(&self) -> u32 {
        self.recorder.vitals_every()
    }

    /// Moves to another charting time, with a caregiver and a time of storing of its own.
    pub(super) fn turn(&mut self, at: Moment, draw: &mut Draw) {
        self.at = at;
        self.stored = Moment(at.0 + 60 * draw.below(70) as i64);
        self.caregiver = 14_000 + draw.below(7_600);
    }

    fn write(&mut self, item: &Item, entry: Entry<'_>) -> Result<(), IoError> {
        let (place, at, stored, caregiver) = (self.place, self.at, self.stored, self.caregiver);
        self.recorder.chart(&Charted { place, at, stored, caregiver, item, entry })
    }

    pub(super) fn number_as(
        &mut self,
        item: &Item,
        x: f64,
        places: u8,
        error: bool,
        status: &'static str,
    ) -> Result<(), IoError> {
        self.write(item, Entry::Number { x, places, error, status })
    }

    pub(super) fn item(&mut self, item: &Item, x: f64) -> Result<(), IoError> {
        self.number_as(item, x, item.places, false, "")
    }

    pub(super) fn number(&mut self, pair: &Pair, x: f64) -> Result<(), IoError> {
        self.item(&pair[self.system as usize], x)
    }

    /// Writes a number from a device that fails at times. Rarely the number is nonsense that nobody marked.
    /// In MetaVision, more often a marked error precedes the right value.
    pub(super) fn device(&mut self, pair: &Pair, x: f64, draw: &mut Draw) -> Result<(), IoError> {
        let u = draw.unit();
        let item = &pair[self.system as usize];
        if u < self.nonsense {
            let nonsense =
                if draw.chance(0.5) { 0.0 } else { 100.0 * x.abs().max(5.0) + draw.below(90) as f64 };
            return self.item(item, nonsense);
        }
        if u > 0.999 && self.system == System::MetaVision {
            self.number_as(item, 1.4 * x + 20.0, item.places, true, "")?;
        }
        self.item(item, x)
    }

    pub(super) fn text(&mut self, item: &Item, text: &str, score: Option<f64>) -> Result<(), IoError> {
        self.write(item, Entry::Text { text, score })
    }

    /// Writes a row without a value, which says that a CareVue item was taken off.
    pub(super) fn discontinued(&mut self, item: &Item) -> Result<(), IoError> {
        self.write(item, Entry::Removed)
    }
}
