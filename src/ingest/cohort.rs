//! Cohort rules, applied in order, with the number of records before and after each.

use std::collections::HashMap;

use crate::schema::{Aggregation, Predicate};

use super::facts::Facts;
use super::measure::{Meter, Value};
use super::plan::{Operand, Plan};
use super::records::Records;
use super::text::{normal_text, shortest};
use super::{CohortStep, IngestError};

/// What rules can ask about records.
pub(super) trait Answers {
    /// A variable's value from measurements, as text or number.
    fn measured(&self, variable: usize, record: u32) -> Option<Answer>;
    /// Whether an aggregate of measurements exists.
    fn has(&self, variable: usize, aggregation: Aggregation, record: u32) -> bool;
}

/// A value as rules compare it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Number(f64),
    Text(String),
}

impl Answer {
    pub(super) fn of(value: Value, levels: &[String]) -> Self {
        match value {
            Value::Number(x) => Self::Number(x),
            Value::Level(code) => Self::Text(levels[code as usize].clone()),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(x) => Some(*x),
            Self::Text(t) => t.trim().parse().ok(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Number(x) => shortest(*x),
            Self::Text(t) => t.clone(),
        }
    }
}

/// How many leading rules can be applied before any event is read. Records of long tables are not known before.
pub(super) fn rules_before_events(plan: &Plan<'_>) -> usize {
    if plan.is_long() {
        return 0;
    }
    let needs_events = |i: usize| match (&plan.operands[i], &plan.pipeline.rules[i].predicate) {
        (Some(Operand::Variable(v)), _) => plan.variables[*v].measured,
        (_, predicate) => matches!(predicate, Predicate::MinFeatures { .. }),
    };
    (0..plan.operands.len()).find(|&i| needs_events(i)).unwrap_or(plan.operands.len())
}

/// Applies rules `range` to the records in the cohort.
///
/// # Errors
/// [`IngestError::NoRecords`] when a rule leaves none.
pub(super) fn apply(
    plan: &Plan<'_>,
    range: std::ops::Range<usize>,
    records: &mut Records,
    facts: &Facts,
    answers: &dyn Answers,
    steps: &mut Vec<CohortStep>,
) -> Result<(), IngestError> {
    for i in range {
        let rule = &plan.pipeline.rules[i];
        let before = records.in_cohort.iter().filter(|c| **c).count();
        let mut failed_null = 0;
        let members: Vec<u32> =
            (0..records.len() as u32).filter(|&r| records.in_cohort[r as usize]).collect();
        let keep: Vec<bool> = match &rule.predicate {
            Predicate::FirstPerSubject => first_per_subject(records, &members),
            Predicate::MinFeatures { count } => {
                n_features(plan, records, facts, answers, &members).into_iter().map(|n| n >= *count).collect()
            }
            Predicate::Between { min, max, .. } => {
                let operand = plan.operands[i].as_ref().expect("invariant: comparisons have an operand");
                let within = |x: f64| min.is_none_or(|low| x >= low) && max.is_none_or(|high| x <= high);
                test(plan, operand, records, facts, answers, &members, &mut failed_null, |a| {
                    a.number().map(within)
                })
            }
            Predicate::OneOf { values, .. } => {
                let operand = plan.operands[i].as_ref().expect("invariant: comparisons have an operand");
                let values: Vec<_> = values.iter().map(|v| normal_text(v)).collect();
                test(plan, operand, records, facts, answers, &members, &mut failed_null, |a| {
                    Some(values.contains(&normal_text(&a.text())))
                })
            }
        };
        for (record, keep) in members.iter().zip(keep) {
            records.in_cohort[*record as usize] = keep;
        }
        let after = records.in_cohort.iter().filter(|c| **c).count();
        steps.push(CohortStep { rule: rule.name.clone(), before, after, failed_null });
        if after == 0 {
            return Err(IngestError::NoRecords(format!("rule \"{}\"", rule.name)));
        }
    }
    Ok(())
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call site per predicate; a struct would only rename the list"
)]
fn test(
    plan: &Plan<'_>,
    operand: &Operand,
    records: &Records,
    facts: &Facts,
    answers: &dyn Answers,
    members: &[u32],
    failed_null: &mut usize,
    passes: impl Fn(&Answer) -> Option<bool>,
) -> Vec<bool> {
    // A scratch meter: values outside their range are counted once, for the final cohort.
    let mut meter = match operand {
        Operand::Variable(v) => Some(Meter::new(plan.variables[*v].variable)),
        Operand::Column { .. } => None,
    };
    members
        .iter()
        .map(|&record| {
            let answer = match (operand, &mut meter) {
                (Operand::Variable(v), Some(meter)) => answers.measured(*v, record).or_else(|| {
                    let value = facts.value(plan.variables[*v].variable, meter, records, record)?;
                    Some(Answer::of(value, &meter.levels))
                }),
                (Operand::Column { table, column }, _) => facts.column(table, column).and_then(|facts| {
                    let fact = &facts[record as usize];
                    fact.number().map(Answer::Number).or_else(|| fact.text().map(Answer::Text))
                }),
                (Operand::Variable(_), None) => None,
            };
            let outcome = answer.as_ref().and_then(&passes);
            *failed_null += usize::from(outcome.is_none());
            outcome.unwrap_or(false)
        })
        .collect()
}

/// Features with a value, of each member.
fn n_features(
    plan: &Plan<'_>,
    records: &Records,
    facts: &Facts,
    answers: &dyn Answers,
    members: &[u32],
) -> Vec<usize> {
    let mut meters: Vec<Meter<'_>> = plan.variables.iter().map(|v| Meter::new(v.variable)).collect();
    let has = |record: u32, variable: usize, aggregation: Aggregation, meters: &mut [Meter<'_>]| {
        answers.has(variable, aggregation, record)
            || facts
                .value(plan.variables[variable].variable, &mut meters[variable], records, record)
                .is_some()
    };
    members
        .iter()
        .map(|&r| {
            plan.features.iter().filter(|(v, feature)| has(r, *v, feature.aggregation, &mut meters)).count()
        })
        .collect()
}

fn first_per_subject(records: &Records, members: &[u32]) -> Vec<bool> {
    let rank = |r: u32| {
        let id = records.id(r);
        // A record without a start comes after those with one.
        (records.start[r as usize].unwrap_or(i64::MAX), id.parse::<i64>().ok(), id)
    };
    let mut first: HashMap<u32, u32> = HashMap::new();
    for &record in members {
        let best = first.entry(records.subject_of[record as usize]).or_insert(record);
        if rank(record) < rank(*best) {
            *best = record;
        }
    }
    members.iter().map(|&r| first[&records.subject_of[r as usize]] == r).collect()
}
