//! What cannot be told without a table: the variables that are found there alone, and what is computed from
//! them. They are unknown, not absent: nobody looked, so that no default and no count of 0 is theirs.

use super::plan::{Plan, PlannedOperand};
use crate::message::{Message, Weight};
use crate::schema::{Source, Table};

/// For each variable in use, whether it cannot be told where only some of the tables are there: all of its
/// sources lie in others, or its expression needs what cannot be told. The expression decides as it does for
/// variables that a schema has not: of alternatives, one is enough.
pub(in crate::ingest) fn lost(plan: &Plan<'_>, is_there: &dyn Fn(&str) -> bool) -> Vec<bool> {
    let mut lost: Vec<bool> = Vec::with_capacity(plan.variables.len());
    for planned in &plan.variables {
        let sources = &planned.variable.sources;
        let is_lost = match &planned.derived {
            // Operands come before what is computed from them.
            Some(computation) => {
                let is_told = |operand: &PlannedOperand| operand.place.is_some_and(|place| !lost[place]);
                let is_told = |i: usize| is_told(&computation.operands[i]);
                !computation.expression.is_possible(&is_told)
                    || computation.at.is_some_and(|moments| !is_told(moments))
            }
            None => !sources.is_empty() && !sources.iter().any(|source| is_there(table_of(source))),
        };
        lost.push(is_lost);
    }
    lost
}

fn table_of(source: &Source) -> &str {
    match source {
        Source::Events { table, .. }
        | Source::Column { table, .. }
        | Source::Age { table, .. }
        | Source::Hours { table, .. }
        | Source::Next { table, .. }
        | Source::Listed { table, .. }
        | Source::Years { table, .. } => table,
    }
}

/// What an extract without an optional table means for the variables in use.
pub(in crate::ingest) fn without(plan: &Plan<'_>, table: &Table) -> String {
    let of = of_table(plan, &table.name);
    let text = format!("there is no table {}, which the schema says may be missing", table.name);
    let alone =
        named(&of.alone, "is found there alone and stays empty", "are found there alone and stay empty");
    let computed =
        named(&of.computed, "is computed from that and stays empty", "are computed from that and stay empty");
    text + &alone + &computed + &named(&of.also, "is found elsewhere too", "are found elsewhere too")
}

/// About a table that is there and has no row at all: whoever wrote it says that there was nothing.
pub(in crate::ingest) fn without_rows(plan: &Plan<'_>, table: &str) -> Message {
    let of = of_table(plan, table);
    let alone = named(
        &of.alone,
        "is found there alone and counts as not recorded",
        "are found there alone and count as not recorded",
    );
    let computed = named(
        &of.computed,
        "is computed as if nothing had been recorded there",
        "are computed as if nothing had been recorded there",
    );
    let text = format!("table {table} has no rows{alone}{computed}");
    Message::table(Weight::LeftOut, table, text)
}

/// The variables in use that have to do with a table.
#[derive(Default)]
struct OfTable<'p> {
    /// Found there alone.
    alone: Vec<&'p str>,
    /// Found there and elsewhere.
    also: Vec<&'p str>,
    /// Computed from what is found there alone.
    computed: Vec<&'p str>,
}

fn of_table<'p>(plan: &'p Plan<'_>, table: &str) -> OfTable<'p> {
    let mut of = OfTable::default();
    for (planned, lost) in plan.variables.iter().zip(lost(plan, &|other| other != table)) {
        let name = planned.variable.name.as_str();
        let is_here = planned.variable.sources.iter().any(|source| table_of(source) == table);
        let names = match (lost, planned.derived.is_some(), is_here) {
            (true, true, _) => &mut of.computed,
            (true, false, _) => &mut of.alone,
            (false, _, true) => &mut of.also,
            (false, _, false) => continue,
        };
        // A variable that looks back differently in two places is in use twice.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    of
}

/// Names as a part of a sentence, by what it says of one and of several; nothing where there are none.
fn named(names: &[&str], one: &str, several: &str) -> String {
    let (variables, what) = if names.len() == 1 { ("variable", one) } else { ("variables", several) };
    match names {
        [] => String::new(),
        names => format!("; {} {variables} {what}: {}", names.len(), names.join(", ")),
    }
}
