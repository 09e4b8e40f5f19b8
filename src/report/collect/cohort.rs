//! Cohort flow, row accounting and alerts, from the audit.

use super::context::Context;
use crate::ingest::VariableAudit;
use crate::report::data::{Alert, Cohort, NamedCount, Step, TableRows};

pub(super) fn cohort(context: &Context<'_>) -> Cohort {
    let (audit, privacy) = (&context.bundle.audit, context.privacy);
    let steps: Vec<(String, u64, u64)> =
        audit.cohort.iter().map(|s| (s.rule.clone(), s.before as u64, s.after as u64)).collect();
    let shown = privacy.steps(&steps);
    let steps_shown = shown
        .iter()
        .map(|(rule, before, after)| {
            // Only a rule shown alone can say how many failed for a missing value.
            let null = audit.cohort.iter().find(|s| s.rule == *rule).map_or(0, |s| s.failed_null as u64);
            let excluded = before.saturating_sub(*after);
            Step {
                rule: rule.clone(),
                kept: privacy.count(*after),
                excluded: privacy.count(excluded),
                excluded_null: privacy.part(null, excluded),
            }
        })
        .collect();
    let tables = audit
        .tables
        .iter()
        .map(|t| {
            let dropped = t.dropped.iter().filter(|(_, n)| **n > 0).map(|(reason, n)| (reason.clone(), *n));
            let dropped = privacy.parts(dropped.collect(), 0).into_iter();
            TableRows {
                table: t.table.clone(),
                read: privacy.count(t.rows_read),
                kept: privacy.part(t.rows_kept, t.rows_read),
                dropped: dropped.map(|p| NamedCount { name: p.name, n: p.n }).collect(),
            }
        })
        .collect();
    Cohort { merged: shown.len() < steps.len(), steps: steps_shown, tables }
}

pub(super) fn alerts(context: &Context<'_>) -> Vec<Alert> {
    let mut alerts: Vec<(u64, Alert)> = Vec::new();
    for v in &context.bundle.audit.variables {
        let seen = v.values_kept + v.unknown_unit + v.below_range + v.above_range + v.not_a_number;
        for (what, n, dropped) in kinds(v) {
            if n == 0 {
                continue;
            }
            let percent = (seen > 0 && context.privacy.allows(n)).then(|| 100.0 * n as f64 / seen as f64);
            let n_shown = context.privacy.count(n);
            let alert =
                Alert { variable: v.variable.clone(), what: what.into(), n: n_shown, percent, dropped };
            alerts.push((n, alert));
        }
    }
    // What was lost first, then by number; equal ones keep the order of the audit.
    alerts.sort_by_key(|(n, a)| (!a.dropped, std::cmp::Reverse(*n)));
    alerts.into_iter().map(|a| a.1).collect()
}

fn kinds(v: &VariableAudit) -> [(&'static str, u64, bool); 7] {
    [
        ("above the plausible range", v.above_range, true),
        ("below the plausible range", v.below_range, true),
        ("in an unknown unit", v.unknown_unit, true),
        ("not a number", v.not_a_number, true),
        ("same record, item and time more than once", v.duplicate_keys, false),
        ("censored, taken as half the limit", v.censored, false),
        ("converted from another unit", v.converted, false),
    ]
}
