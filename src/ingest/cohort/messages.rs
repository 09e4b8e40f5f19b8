//! What there is to say about tables and variables: what was left out, and what was
//! recorded and could not be used.

use crate::message::{Message, Weight};
use crate::schema::{Aggregation, Variable};

use super::plan::Plan;
use crate::ingest::events::reason::COPY;
use crate::ingest::{TableAudit, VariableAudit};

/// What a user should know about the rows of the tables.
pub(in crate::ingest) fn of_tables(audits: &[TableAudit]) -> Vec<Message> {
    let copies = audits.iter().filter_map(|audit| Some((&audit.table, *audit.dropped.get(COPY)?)));
    let message = |(table, n): (&String, u64)| {
        let text = format!(
            "table {table}: {n} {} another row (the same record, item, time and value, or all of a row of \
             facts) and {}",
            if n == 1 { "row repeats" } else { "rows repeat" },
            if n == 1 { "is left out" } else { "are left out" },
        );
        Message::table(Weight::LeftOut, table, text).counting(n)
    };
    copies.map(message).collect()
}

/// What a user should know about the variables of an ingestion, in their order.
pub(in crate::ingest) fn of_variables(plan: &Plan<'_>, audits: &[VariableAudit]) -> Vec<Message> {
    let mut messages = Vec::new();
    for (v, audit) in audits.iter().enumerate() {
        let planned = &plan.variables[v];
        let (name, variable) = (&audit.variable, planned.variable);
        let mut say = |n: u64, text: String| {
            messages.push(Message::variable(Weight::Wrong, name, text).counting(n));
        };
        if audit.values_kept == 0 {
            let why = reasons(audit);
            let why = if why.is_empty() { why } else { format!("; what was recorded cannot be used: {why}") };
            say(audit.records_missing, format!("variable {name} has no value in any record{why}"));
        }
        if audit.unknown_unit > 0 {
            say(audit.unknown_unit, unknown_units(name, variable, audit));
        }
        let features: Vec<_> = plan.features.iter().filter(|(of, _)| *of == v).map(|(_, f)| f).collect();
        let sums = features.iter().any(|f| f.aggregation == Aggregation::Sum);
        // Elsewhere a missing value is nothing that could be mistaken for another.
        let matters = variable.absent.is_some() || sums || !planned.measured;
        if matters && audit.values_kept > 0 && audit.records_rejected > 0 {
            let instead =
                variable.absent.map(|absent| format!(", and not the {absent} of those without entries"));
            let text = format!(
                "variable {name}: {} {} entries of which none can be used ({}); the value is missing there{}",
                audit.records_rejected,
                if audit.records_rejected == 1 { "record has" } else { "records have" },
                reasons(audit),
                instead.unwrap_or_default(),
            );
            say(audit.records_rejected, text);
        }
        if sums && audit.records_partly_rejected > 0 {
            let text = format!(
                "variable {name}: the sums of {} {} leave out entries that cannot be used ({})",
                audit.records_partly_rejected,
                if audit.records_partly_rejected == 1 { "record" } else { "records" },
                reasons(audit),
            );
            say(audit.records_partly_rejected, text);
        }
        if sums && audit.duplicate_keys > 0 {
            let times = match audit.duplicate_keys {
                1 => "once".to_owned(),
                n => format!("{n} times"),
            };
            let text = format!(
                "variable {name}: {times}, entries of the same record, item and time have several values \
                 that differ; they count as measurements of their own, and sums add them up"
            );
            say(audit.duplicate_keys, text);
        }
        if audit.mirrored > 0 {
            let text = format!(
                "variable {name}: {} {} in another table for the same record and time as well, and {} once",
                audit.mirrored,
                if audit.mirrored == 1 { "value is" } else { "values are" },
                if audit.mirrored == 1 { "counts" } else { "count" },
            );
            say(audit.mirrored, text);
        }
    }
    messages
}

/// The reasons why measurements were rejected, with their counts.
fn reasons(audit: &VariableAudit) -> String {
    let all: Vec<_> = audit.rejected.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
    all.join(", ")
}

fn unknown_units(name: &str, variable: &Variable, audit: &VariableAudit) -> String {
    let units: Vec<_> = audit.unknown_units.iter().map(|(unit, n)| format!("`{unit}` {n}")).collect();
    format!(
        "variable {name}: {} {} in a unit that does not convert to {} and {} not used ({}); give the \
         variable a conversion in the schema if there is one",
        audit.unknown_unit,
        if audit.unknown_unit == 1 { "measurement is" } else { "measurements are" },
        if variable.unit.is_empty() { "its own" } else { &variable.unit },
        if audit.unknown_unit == 1 { "is" } else { "are" },
        units.join(", "),
    )
}
