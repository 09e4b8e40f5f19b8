//! Rows of CHARTEVENTS, in the spelling of each charting system and with its habits of leaving fields empty.

use super::clock::Moment;
use super::draw::Draw;
use super::items::{Item, Pair};
use super::patient::System;
use super::writer::{Row, Spelling, Table};
use crate::error::IoError;

/// Writes the rows of one stay.
pub(super) struct Pen<'t> {
    table: &'t mut Table,
    ids: [u64; 3],
    pub(super) system: System,
    at: Moment,
    stored: Moment,
    caregiver: u64,
}

impl<'t> Pen<'t> {
    /// Prepares the rows of one stay. `ids` holds the subject, the admission and the stay.
    pub(super) fn new(table: &'t mut Table, ids: [u64; 3], system: System, at: Moment) -> Self {
        Self { table, ids, system, at, stored: at, caregiver: 0 }
    }

    /// Moves to another charting time, with a caregiver and a time of storing of its own.
    pub(super) fn turn(&mut self, at: Moment, draw: &mut Draw) {
        self.at = at;
        self.stored = Moment(at.0 + 60 * draw.below(70) as i64);
        self.caregiver = 14_000 + draw.below(7_600);
    }

    fn head(&mut self, id: u64) -> Row<'_> {
        let [subject, admission, stay] = self.ids;
        let (at, stored, caregiver) = (self.at, self.stored, self.caregiver);
        let mut row = self.table.row();
        row.int(subject).int(admission).int(stay).int(id).time(at).time(stored).int(caregiver);
        row
    }

    /// Writes WARNING, ERROR, RESULTSTATUS and STOPPED. CareVue has no ERROR, so the field is null there and
    /// never 0.
    fn tail(system: System, row: &mut Row<'_>, error: bool, status: &str) -> Result<(), IoError> {
        match system {
            System::CareVue => row.nulls(2).text(status).text("NotStopd").end(),
            System::MetaVision => row.int(0).int(u64::from(error)).nulls(2).end(),
        }
    }

    pub(super) fn number_as(
        &mut self,
        item: &Item,
        x: f64,
        places: u8,
        error: bool,
        status: &str,
    ) -> Result<(), IoError> {
        let system = self.system;
        let (text, number) = if item.single {
            (Spelling::SingleText, Spelling::SingleNumber)
        } else {
            (Spelling::Bare, Spelling::Short)
        };
        let mut row = self.head(item.id);
        row.number(x, places, text).number(x, places, number).text(item.unit);
        Self::tail(system, &mut row, error, status)
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
        if u < 0.000_15 {
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
        let system = self.system;
        let mut row = self.head(item.id);
        row.text(text);
        match score {
            Some(x) => row.number(x, 0, Spelling::Short),
            None => row.null(),
        };
        row.null();
        Self::tail(system, &mut row, false, "")
    }

    /// Writes a row without a value, which says that a CareVue item was taken off.
    pub(super) fn discontinued(&mut self, item: &Item) -> Result<(), IoError> {
        self.head(item.id).nulls(6).text("D/C'd").end()
    }
}
