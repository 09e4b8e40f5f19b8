//! What there is to say about tables and variables: what was left out, and what was
//! recorded and could not be used.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::{About, Message, Weight};
use crate::schema::{Aggregation, Variable};

use super::plan::Plan;
use super::share::People;
use crate::ingest::events::reason::{COPY, MALFORMED, NO_ID, OTHER_SUBJECT};
use crate::ingest::{TableAudit, VariableAudit};

/// Variables named in a sentence; more are counted.
const NAMED: usize = 6;

/// What the pipeline names and the database has not.
pub(in crate::ingest) fn of_left_out(plan: &Plan<'_>) -> Option<Message> {
    let left_out = &plan.pipeline.left_out;
    (!left_out.is_empty()).then(|| {
        let n = left_out.len();
        let text = format!(
            "schema {} has not all that the pipeline {} names; {} left out: {}",
            plan.schema.name,
            plan.pipeline.name,
            if n == 1 { "one thing is".to_owned() } else { format!("{n} things are") },
            left_out.join(", ")
        );
        Message::new(Weight::LeftOut, About::Columns(left_out.clone()), text).counting(n)
    })
}

/// Rows of a table that name a patient and no record, at a time that several stays hold.
pub(in crate::ingest) fn in_several_stays(name: &str, n: u64) -> Option<Message> {
    (n > 0).then(|| {
        let text = format!(
            "table {name}: {} no record and {} at a time that lies in several stays of the patient; the stay \
             that began last has {}",
            if n == 1 { "1 row names".to_owned() } else { format!("{n} rows name") },
            if n == 1 { "is" } else { "are" },
            if n == 1 { "it" } else { "them" },
        );
        Message::table(Weight::Choice, name, text).counting(n)
    })
}

/// What a user should know about the rows of the tables.
pub(in crate::ingest) fn of_tables(plan: &Plan<'_>, audits: &[TableAudit]) -> Vec<Message> {
    let mut messages = Vec::new();
    for TableAudit { table, rows_read, dropped, .. } in audits {
        let mut say = |weight: Weight, n: u64, text: String| {
            messages.push(Message::table(weight, table, text).counting(n));
        };
        if let Some(&n) = dropped.get(MALFORMED) {
            let are = if n == 1 { "is" } else { "are" };
            // A record that no row can name is missing, and so are its events.
            let of_records = match (plan.schema.record.table.as_ref() == Some(table), n) {
                (false, _) => "",
                (true, 1) => "; the record that it names is not in the cohort",
                (true, _) => "; the records that they name are not in the cohort",
            };
            let text = format!(
                "table {table}: {n} of {rows_read} rows {are} malformed and {are} left out, as --on-bad-row \
                 skip asks for{of_records}"
            );
            say(Weight::LeftOut, n, text);
        }
        if let Some(&n) = dropped.get(NO_ID) {
            let text = format!(
                "table {table}: {n} of {rows_read} rows {} no `{}` and {} left out, so that {} not in the \
                 cohort",
                if n == 1 { "has" } else { "have" },
                plan.schema.record.id,
                if n == 1 { "is" } else { "are" },
                if n == 1 { "its record is" } else { "their records are" },
            );
            say(Weight::LeftOut, n, text);
        }
        // What the cohort and the windows leave behind is what was asked for, and so are rows of other
        // patients.
        if let Some(planned) = plan.events.iter().find(|planned| planned.table.name == *table) {
            let ruled = planned.columns.drop.iter().map(|rule| rule.reason.as_str());
            let mut unplaced: Vec<(&str, u64)> = ["no time", "record without start"]
                .into_iter()
                .chain(ruled)
                .filter_map(|reason| Some((reason, *dropped.get(reason)?)))
                .collect();
            unplaced.dedup();
            if !unplaced.is_empty() {
                let n: u64 = unplaced.iter().map(|(_, n)| n).sum();
                let listed: Vec<String> =
                    unplaced.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
                let rows = if n == 1 { "1 row".to_owned() } else { format!("{n} rows") };
                let are = if n == 1 { "is" } else { "are" };
                let text = format!(
                    "table {table}: {rows} of the items in use {are} left out ({})",
                    listed.join(", ")
                );
                say(Weight::LeftOut, n, text);
            }
        }
        if let Some(&n) = dropped.get(COPY) {
            let text = format!(
                "table {table}: {n} {} another row (the same record, item, time and value, or all of a row \
                 of facts) and {}",
                if n == 1 { "row repeats" } else { "rows repeat" },
                if n == 1 { "is left out" } else { "are left out" },
            );
            say(Weight::LeftOut, n, text);
        }
        if let Some(&n) = dropped.get(OTHER_SUBJECT) {
            let text = format!(
                "table {table}: {n} {} a record and a patient who is not that record's, and {} not used",
                if n == 1 { "row names" } else { "rows name" },
                if n == 1 { "is" } else { "are" },
            );
            say(Weight::Wrong, n, text);
        }
    }
    messages
}

/// What a user should know about the patients of the records.
pub(in crate::ingest) fn of_subjects(plan: &Plan<'_>, people: &People) -> Vec<Message> {
    let names = &plan.schema.record;
    let mut messages = Vec::new();
    let People { records, unnamed, contradicted: n } = *people;
    if n > 0 {
        let text = format!(
            "{n} {} rows of several patients in `{}`; the patient that sorts first counts",
            if n == 1 { "record has" } else { "records have" },
            names.subject,
        );
        messages.push(Message::records(Weight::Leak, text).counting(n));
    }
    // A long table without a column of patients has records alone.
    if unnamed > 0 && (names.table.is_some() || unnamed < records) {
        let text = format!(
            "{unnamed} of {records} records {} no `{}`; each counts as a patient by itself, so that the \
             records of one patient may be in two splits",
            if unnamed == 1 { "has" } else { "have" },
            names.subject,
        );
        messages.push(Message::records(Weight::Leak, text).counting(unnamed));
    }
    messages
}

/// What a user should know about the variables of an ingestion, in their order.
pub(in crate::ingest) fn of_variables(plan: &Plan<'_>, audits: &[VariableAudit]) -> Vec<Message> {
    let mut messages = Vec::new();
    for (v, audit) in audits.iter().enumerate() {
        let planned = &plan.variables[v];
        let (name, variable) = (&audit.variable, planned.variable);
        let mut weigh = |weight: Weight, n: u64, text: String| {
            messages.push(Message::variable(weight, name, text).counting(n));
        };
        // What is said of the table that is not there names what is lost with it.
        if audit.values_kept == 0 && !audit.lost {
            // A variable that nothing was recorded of is missing from the features, and falsifies none.
            let nothing = audit.records_rejected == 0 && variable.absent.is_none();
            let weight = if nothing { Weight::LeftOut } else { Weight::Wrong };
            let why = reasons(audit);
            let why = if why.is_empty() { why } else { format!("; what was recorded cannot be used: {why}") };
            // Where nothing was recorded, the schema may have a value for that.
            let text = match variable.absent {
                Some(absent) if audit.records_rejected == 0 => {
                    format!(
                        "variable {name} has no entry in any record, and the value {absent} in all of \
                         them{why}"
                    )
                }
                Some(absent) => format!(
                    "variable {name} has no value that can be used in any record; those without entries have \
                     the value {absent}{why}"
                ),
                None => format!("variable {name} has no value in any record{why}"),
            };
            weigh(weight, audit.records_missing, text);
        }
        let mut say = |n: u64, text: String| weigh(Weight::Wrong, n, text);
        if !audit.unlisted_units.is_empty() {
            let n = audit.unlisted_units.values().sum();
            say(n, unlisted_units(name, variable, n, audit));
        }
        if audit.left_open > 0 {
            let n = audit.left_open;
            let text = format!(
                "variable {name}: {} no entry after one that is not {}, and the table does not say when that \
                 ended; the value is missing there, and not the {} of records without entries",
                if n == 1 { "1 record has".to_owned() } else { format!("{n} records have") },
                variable.absent.unwrap_or_default(),
                variable.absent.unwrap_or_default(),
            );
            say(n, text);
        }
        if audit.censored > 0 {
            let text = format!(
                "variable {name}: {} below a limit of measurement (such as `<0.5`) {} half that limit",
                if audit.censored == 1 { "1 result".into() } else { format!("{} results", audit.censored) },
                if audit.censored == 1 { "counts as" } else { "count as" },
            );
            say(audit.censored, text);
        }
        if audit.capped > 0 {
            let text = format!(
                "variable {name}: {} of 90 years and more {} the schema's cap instead, since such ages may \
                 be hidden",
                if audit.capped == 1 { "1 age".into() } else { format!("{} ages", audit.capped) },
                if audit.capped == 1 { "is" } else { "are" },
            );
            say(audit.capped, text);
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
                Some(reasons(audit)).filter(|text| !text.is_empty()).unwrap_or_else(|| {
                    // What is computed has none of its own.
                    "those that it is computed from".to_owned()
                }),
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

/// What a user should know of the measurements that could not be used, all in one sentence.
pub(in crate::ingest) fn of_rejections(audits: &[VariableAudit]) -> Option<Message> {
    let n_of = |audit: &VariableAudit| audit.rejected.values().sum::<u64>();
    let mut rejected: Vec<&VariableAudit> = audits.iter().filter(|audit| n_of(audit) > 0).collect();
    rejected.sort_by_key(|audit| std::cmp::Reverse(n_of(audit)));
    let n: u64 = rejected.iter().map(|audit| n_of(audit)).sum();
    let listed: Vec<String> = rejected
        .iter()
        .take(NAMED)
        .map(|audit| format!("{} {} ({})", audit.variable, n_of(audit), reasons(audit)))
        .collect();
    let more = match rejected.len().saturating_sub(NAMED) {
        0 => String::new(),
        1 => "; 1 more variable in audit.json".to_owned(),
        more => format!("; {more} more variables in audit.json"),
    };
    let what = match n {
        1 => "1 measurement cannot be used and is rejected".to_owned(),
        _ => format!("{n} measurements cannot be used and are rejected"),
    };
    let text = format!("{what}: {}{more}", listed.join("; "));
    (n > 0).then(|| Message::records(Weight::LeftOut, text).counting(n))
}

/// What to say of levels that the data alone name and that differ by letter case, which may be one level.
pub(in crate::ingest) fn of_levels(plan: &Plan<'_>, levels: &[BTreeSet<String>]) -> Vec<Message> {
    let mut messages = Vec::new();
    for (planned, levels) in plan.variables.iter().zip(levels) {
        if !planned.variable.levels.is_empty() {
            continue;
        }
        let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for level in levels {
            spellings.entry(level.to_lowercase()).or_default().push(level);
        }
        for same in spellings.into_values().filter(|same| same.len() > 1) {
            let named: Vec<String> = same.iter().map(|level| format!("`{level}`")).collect();
            let name = &planned.variable.name;
            let text = format!(
                "variable {name}: the levels {} differ in letter case alone and are levels by themselves; \
                 give the variable `levels` in the schema to make them one",
                named.join(", ")
            );
            messages.push(Message::variable(Weight::Wrong, name, text).counting(same.len()));
        }
    }
    messages
}

/// The reasons why measurements were rejected, with their counts.
fn reasons(audit: &VariableAudit) -> String {
    let all: Vec<_> = audit.rejected.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
    all.join(", ")
}

fn unlisted_units(name: &str, variable: &Variable, n: u64, audit: &VariableAudit) -> String {
    let units: Vec<_> = audit.unlisted_units.iter().map(|(unit, n)| format!("`{unit}` {n}")).collect();
    format!(
        "variable {name}: {n} {} a unit that the schema does not know and {} taken {} ({}); give the source \
         its `units` in the schema to reject others",
        if n == 1 { "measurement has" } else { "measurements have" },
        if n == 1 { "is" } else { "are" },
        if variable.unit.is_empty() {
            "as they are".to_owned()
        } else {
            format!("to be in {}", variable.unit)
        },
        units.join(", "),
    )
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
