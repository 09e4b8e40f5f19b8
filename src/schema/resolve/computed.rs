//! Concepts that a schema need not name: those that are computed are there as soon as their parts are. A
//! pipeline over concepts takes those that it names, with their parts, and no others.

use super::derived;
use crate::schema::{Concept, Derived, Expression, Pipeline, Schema, Variable};

/// The expression of a variable, if it is computed.
fn expression(variable: &Variable) -> Option<Expression> {
    variable.derived.as_ref().map(Derived::expression)?.ok()
}

/// A schema with all concepts that can be computed from what it has.
pub(super) fn with_computed(mut schema: Schema, dictionary: &[Concept]) -> Schema {
    loop {
        let has = |name: &str| schema.variable(name).is_some();
        let is_possible = |concept: &&Concept| {
            let Some(expression) = expression(&concept.variable) else { return false };
            !has(&concept.variable.name) && expression.is_possible(&|i| has(&expression.operands[i].variable))
        };
        let found: Vec<Variable> =
            dictionary.iter().filter(is_possible).map(|concept| concept.variable.clone()).collect();
        if found.is_empty() {
            break;
        }
        schema.variables.extend(found);
    }
    derived::mark_single(&mut schema.variables);
    schema
}

/// A schema without the variables behind the first `n` that a pipeline does not use.
pub(super) fn without_unused(mut schema: Schema, n: usize, pipeline: &Pipeline) -> Schema {
    let named = pipeline.features.iter().chain(&pipeline.labels).map(|column| column.variable.clone());
    let mut used: Vec<String> = named.collect();
    let mut at = 0;
    while let Some(name) = used.get(at).cloned() {
        at += 1;
        for operand in schema.variable(&name).and_then(expression).into_iter().flat_map(|e| e.operands) {
            if !used.contains(&operand.variable) {
                used.push(operand.variable);
            }
        }
    }
    let mut place = 0;
    schema.variables.retain(|variable| {
        place += 1;
        place <= n || used.contains(&variable.name)
    });
    schema
}

/// What a computed concept lacks: the measured concepts that it needs and the schema has not.
pub(super) fn lacks(dictionary: &[Concept], schema: &Schema, name: &str) -> Vec<String> {
    let of_name = |name: &str| dictionary.iter().find(|concept| concept.variable.name == name);
    let mut missing = Vec::new();
    let mut open = vec![name.to_owned()];
    let mut at = 0;
    while let Some(name) = open.get(at).cloned() {
        at += 1;
        match of_name(&name).and_then(|concept| expression(&concept.variable)) {
            None => missing.push(name),
            Some(expression) => {
                let exists = |i: usize| schema.variable(&expression.operands[i].variable).is_some();
                for wanted in expression.wanting(&exists) {
                    let operand = &expression.operands[wanted].variable;
                    if !open.contains(operand) {
                        open.push(operand.clone());
                    }
                }
            }
        }
    }
    missing
}
