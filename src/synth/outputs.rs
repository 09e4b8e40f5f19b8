//! The urine of a stay.

use super::bedside::Bedside;
use super::clock::Moment;
use super::draw::Draw;
use super::items::{self, Item};
use super::patient::System;
use super::quantity::Quantity as Q;
use super::record::{Output, Place, Recorder};
use crate::error::IoError;

/// Writes the urine of a stay: from a catheter every hour or two, and at longer intervals without one. A few
/// bladders are irrigated.
pub(super) fn write(
    recorder: &mut dyn Recorder,
    bedside: &Bedside<'_>,
    draw: &mut Draw,
) -> Result<(), IoError> {
    let stay = bedside.stay;
    if !stay.charted {
        return Ok(());
    }
    let catheter = draw.chance(0.85);
    let irrigated = stay.system == System::MetaVision && draw.chance(0.015);
    let unrecorded = draw.chance(0.02);
    let mut hour = draw.between(0.3, 2.0);
    while hour < bedside.hours && !unrecorded {
        let step = if catheter { if draw.chance(0.7) { 1.0 } else { 2.0 } } else { draw.between(3.0, 6.0) };
        let amount = bedside.course.at(hour)[Q::UrineRate] * step * (0.45 * draw.normal()).exp();
        // The amount is read off a scale, in steps of ten above 100 and of five below.
        let grain = if amount > 100.0 { 10.0 } else { 5.0 };
        let amount = ((amount / grain).round() * grain).min(1900.0);
        let at = stay.arrived.plus_hours(hour).minute();
        let caregiver = 14_000 + draw.below(7_600);
        let stored = Moment(at.0 + 60 * draw.below(60) as i64);
        let mut put = |item: &Item, ml: f64| {
            let place = Place::of(bedside);
            recorder.output(&Output { place, at, stored, caregiver, item, ml })
        };
        if irrigated {
            put(&items::IRRIGANT_IN, 1500.0)?;
            put(&items::IRRIGANT_OUT, 1500.0 + amount)?;
        } else {
            put(&if catheter { items::FOLEY } else { items::VOID }[stay.system as usize], amount)?;
        }
        hour += step;
    }
    Ok(())
}
