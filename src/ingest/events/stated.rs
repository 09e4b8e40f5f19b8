//! What a row states: its number, its text, its unit, and whether it is only a limit.

use std::borrow::Cow;

use super::measure::{Beyond, Raw, Units};
use crate::ingest::cohort::plan_events::PlannedTable;
use crate::ingest::text::{normal_unit, parse_quantity};
use crate::ingest::typed::batch::BatchColumn;
use crate::schema::DType;

/// What a row of a table with a column of values states; `in_item` is the unit that the item's text says.
pub(in crate::ingest) fn stated<'c>(
    planned: &PlannedTable<'_>,
    columns: &'c [BatchColumn],
    row: usize,
    in_item: Option<&'c str>,
    units: &mut Units,
) -> Raw<'c> {
    let places = &planned.places;
    let value = places.value.map(|at| &columns[at]);
    let text = places.text.and_then(|at| columns[at].text(row)).or_else(|| value?.text(row));
    let mut number = value.and_then(|value| value.number(row));
    let mut of_value = None;
    if let Some(at) = places.value
        && planned.wanted[at].dtype == DType::Quantity
        && let Some((found, unit)) = columns[at].text(row).and_then(parse_quantity)
    {
        (number, of_value) = (Some(found), unit);
    }
    let mut place = |unit: Option<&str>| units.place(unit.and_then(|unit| name_of(planned, unit)));
    let unit = match places.unit {
        None => place(in_item.or(of_value)),
        Some(at) => match place(unit_text(&columns[at], row).as_deref()) {
            Units::NONE => {
                let other = places.unit_else.and_then(|at| unit_text(&columns[at], row));
                place(other.as_deref().or(of_value))
            }
            unit => unit,
        },
    };
    Raw { number, text, unit, beyond: beyond(planned, columns, row) }
}

/// The text of a unit, without a copy where the column holds texts.
fn unit_text(column: &BatchColumn, row: usize) -> Option<Cow<'_, str>> {
    column.text(row).map(Cow::Borrowed).or_else(|| column.to_text(row).map(Cow::Owned))
}

/// What a cell of a table states whose columns are items; none where nothing is recorded.
pub(in crate::ingest) fn stated_in_cell(column: &BatchColumn, row: usize) -> Option<Raw<'_>> {
    let text = column.text(row);
    let number = column.number(row).or_else(|| text.and_then(parse_quantity).map(|(number, _)| number));
    // `NaN` is how files of numbers say that there is none.
    let recorded =
        number.is_some_and(|x| !x.is_nan()) || number.is_none() && text.is_some_and(|t| !t.trim().is_empty());
    recorded.then_some(Raw { number, text: None, unit: Units::NONE, beyond: None })
}

/// The name of a unit that may be written as a code; none where the name says that there is no unit.
fn name_of<'u>(planned: &'u PlannedTable<'_>, unit: &'u str) -> Option<&'u str> {
    let names = &planned.unit_names;
    let named = if names.is_empty() { None } else { names.get(&normal_unit(unit)) };
    Some(named.map_or(unit, String::as_str)).filter(|name| !name.is_empty())
}

fn beyond(planned: &PlannedTable<'_>, columns: &[BatchColumn], row: usize) -> Option<Beyond> {
    let (operator, at) = (planned.columns.operator.as_ref()?, planned.places.operator?);
    let text = columns[at].to_text(row)?;
    let number: Option<f64> = text.parse().ok();
    let is = |values: &[String]| {
        values.iter().any(|value| *value == text || number.is_some() && value.parse().ok() == number)
    };
    match (is(&operator.below), is(&operator.above)) {
        (true, _) => Some(Beyond::Below),
        (_, true) => Some(Beyond::Above),
        _ => None,
    }
}
