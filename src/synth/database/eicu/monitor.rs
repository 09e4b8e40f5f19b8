//! Rows of the wide tables, which are filled signal by signal.

use crate::error::IoError;
use crate::synth::writer::Table;

/// Number of signals in a row of `vitalPeriodic`, and of pressures in one of `vitalAperiodic`.
pub(super) const SIGNALS: usize = 16;
pub(super) const PRESSURES: usize = 3;
/// Place of the first ST segment among the signals.
pub(super) const ST: usize = 12;

/// A row of a wide table that is being filled.
#[derive(Clone, Copy)]
pub(super) struct Open<const N: usize> {
    pub(super) stay: u64,
    pub(super) minute: i64,
    pub(super) values: [Option<f64>; N],
}

/// Puts a value into the row of its minute. The row before it is returned when it is complete.
pub(super) fn put<const N: usize>(
    open: &mut Option<Open<N>>,
    stay: u64,
    minute: i64,
    column: usize,
    x: f64,
) -> Option<Open<N>> {
    let same = open
        .as_ref()
        .is_some_and(|row| (row.stay, row.minute) == (stay, minute) && row.values[column].is_none());
    let complete = if same { None } else { open.take() };
    let row = open.get_or_insert(Open { stay, minute, values: [None; N] });
    row.values[column] = Some(x);
    complete
}

pub(super) fn write_periodic(table: &mut Table, open: &Open<SIGNALS>) -> Result<(), IoError> {
    let mut row = table.row();
    row.int(open.stay).signed(open.minute);
    for (column, x) in open.values.iter().enumerate() {
        // Temperatures and ST segments have a decimal.
        row.number_or_null(*x, u8::from(column == 0 || column >= ST));
    }
    row.end()
}

pub(super) fn write_aperiodic(table: &mut Table, open: &Open<PRESSURES>) -> Result<(), IoError> {
    let mut row = table.row();
    row.int(open.stay).signed(open.minute);
    for x in open.values {
        row.number_or_null(x, 0);
    }
    row.nulls(7).end()
}
