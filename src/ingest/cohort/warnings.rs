//! Sentences about tables and variables, for the terminal and the audit: what was left out, and what was
//! recorded and could not be used.

use crate::schema::{Aggregation, Variable};

use super::plan::Plan;
use crate::ingest::events::reason::COPY;
use crate::ingest::{TableAudit, VariableAudit};

/// What the pipeline names and the database has not.
pub(in crate::ingest) fn of_left_out(plan: &Plan<'_>) -> Option<String> {
    let left_out = &plan.pipeline.left_out;
    (!left_out.is_empty()).then(|| {
        format!(
            "schema {} has not all that the pipeline {} names; {} left out: {}",
            plan.schema.name,
            plan.pipeline.name,
            if left_out.len() == 1 {
                "one thing is".to_owned()
            } else {
                format!("{} things are", left_out.len())
            },
            left_out.join(", ")
        )
    })
}

/// What a user should know about the rows of the tables.
pub(in crate::ingest) fn of_tables(audits: &[TableAudit]) -> Vec<String> {
    let copies = audits.iter().filter_map(|audit| Some((&audit.table, *audit.dropped.get(COPY)?)));
    let warning = |(table, n): (&String, u64)| {
        format!(
            "table {table}: {n} {} another row (the same record, item, time and value, or all of a row of facts) and {}",
            if n == 1 { "row repeats" } else { "rows repeat" },
            if n == 1 { "is left out" } else { "are left out" },
        )
    };
    copies.map(warning).collect()
}

/// What a user should know about the variables of an ingestion, in their order.
pub(in crate::ingest) fn of_variables(plan: &Plan<'_>, audits: &[VariableAudit]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (v, audit) in audits.iter().enumerate() {
        let planned = &plan.variables[v];
        let (name, variable) = (&audit.variable, planned.variable);
        if audit.values_kept == 0 {
            let why = reasons(audit);
            let why = if why.is_empty() { why } else { format!("; what was recorded cannot be used: {why}") };
            warnings.push(format!("variable {name} has no value in any record{why}"));
        }
        if audit.unknown_unit > 0 {
            warnings.push(unknown_units(name, variable, audit));
        }
        let features: Vec<_> = plan.features.iter().filter(|(of, _)| *of == v).map(|(_, f)| f).collect();
        let sums = features.iter().any(|f| f.aggregation == Aggregation::Sum);
        // Elsewhere a missing value is nothing that could be mistaken for another.
        let matters = variable.absent.is_some() || sums || !planned.measured;
        if matters && audit.values_kept > 0 && audit.records_rejected > 0 {
            let instead =
                variable.absent.map(|absent| format!(", and not the {absent} of those without entries"));
            warnings.push(format!(
                "variable {name}: {} {} entries of which none can be used ({}); the value is missing there{}",
                audit.records_rejected,
                if audit.records_rejected == 1 { "record has" } else { "records have" },
                reasons(audit),
                instead.unwrap_or_default(),
            ));
        }
        if sums && audit.records_partly_rejected > 0 {
            warnings.push(format!(
                "variable {name}: the sums of {} {} leave out entries that cannot be used ({})",
                audit.records_partly_rejected,
                if audit.records_partly_rejected == 1 { "record" } else { "records" },
                reasons(audit),
            ));
        }
        if sums && audit.duplicate_keys > 0 {
            warnings.push(format!(
                "variable {name}: {} the same record, item and time have several values that differ; they count as \
                 measurements of their own, and sums add them up",
                if audit.duplicate_keys == 1 { "once, entries of".into() } else { format!("{} times, entries of", audit.duplicate_keys) },
            ));
        }
        if audit.mirrored > 0 {
            warnings.push(format!(
                "variable {name}: {} {} in another table for the same record and time as well, and {} once",
                audit.mirrored,
                if audit.mirrored == 1 { "value is" } else { "values are" },
                if audit.mirrored == 1 { "counts" } else { "count" },
            ));
        }
    }
    warnings
}

/// The reasons why measurements were rejected, with their counts.
fn reasons(audit: &VariableAudit) -> String {
    let all: Vec<_> = audit.rejected.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
    all.join(", ")
}

fn unknown_units(name: &str, variable: &Variable, audit: &VariableAudit) -> String {
    let units: Vec<_> = audit.unknown_units.iter().map(|(unit, n)| format!("`{unit}` {n}")).collect();
    format!(
        "variable {name}: {} {} in a unit that does not convert to {} and {} not used ({}); give the variable a conversion in \
         the schema if there is one",
        audit.unknown_unit,
        if audit.unknown_unit == 1 { "measurement is" } else { "measurements are" },
        if variable.unit.is_empty() { "its own" } else { &variable.unit },
        if audit.unknown_unit == 1 { "is" } else { "are" },
        units.join(", "),
    )
}
