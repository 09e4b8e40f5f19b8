//! Descriptions as text for people: `schema show`.

use std::fmt::Write;

use super::model::{Item, Schema, Source, Variable};
use super::pipeline::{Anchor, Feature, MissingParts, Pipeline, PipelineKind, Predicate, Window};
use super::table::{Table, TableKind};

/// Columns of the table of variables.
const HEADER: [&str; 7] = ["name", "label", "unit", "kind", "range", "resolution", "sources"];

/// Items spelled out per source; the rest is counted.
const ITEMS_SHOWN: usize = 4;

/// A schema with its tables and one line per variable, under the headings of their groups.
pub fn render_schema(schema: &Schema) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(format!("{}  {}", schema.name, schema.title));
    let record = &schema.record;
    let table = record.table.as_deref().map(|t| format!(" of {t}")).unwrap_or_default();
    line(format!("one record per {}{table}, patients by {}", record.id, record.subject));
    if let Some(episodes) = &record.episodes {
        line(format!(
            "with episodes = true, stays of one {} are one record where the next begins within {} h",
            episodes.within, episodes.gap_hours
        ));
    }
    line(String::new());
    for table in &schema.tables {
        let kind = match &table.kind {
            TableKind::Records => "records".to_owned(),
            TableKind::Static { key } => format!("facts joined by {key}"),
            TableKind::Lists { key } => format!("lists joined by {key}"),
            TableKind::Events(events) => {
                let item = match (&events.item, &events.item_within) {
                    (None, _) => "every column of numbers",
                    (Some(item), None) => item,
                    (Some(item), Some(within)) => &format!("{item}//{within}"),
                };
                let form = events.item_form.as_ref().map(|form| format!(" of the form {form}"));
                format!("events of {item}{} at {}", form.unwrap_or_default(), events.time)
            }
        };
        let optional = if table.optional { ", if it is there" } else { "" };
        line(format!("{}: {kind}, from {}{optional}", table.name, table.files.join(", ")));
        for text in details(table) {
            line(format!("  {text}"));
        }
    }
    let mut groups: Vec<&str> = Vec::new();
    for variable in &schema.variables {
        if !groups.contains(&variable.group.as_str()) {
            groups.push(&variable.group);
        }
    }
    let rows: Vec<[String; 7]> = schema.variables.iter().map(row).collect();
    let mut table: Vec<String> = aligned(&HEADER, &rows);
    let header = table.remove(0);
    for group in groups {
        line(String::new());
        line(format!("# {group}"));
        line(header.clone());
        for (variable, row) in schema.variables.iter().zip(&table) {
            if variable.group == group {
                line(row.clone());
            }
        }
    }
    line(String::new());
    line(format!("{} variables", schema.variables.len()));
    out
}

/// What else is said of a table, in a sentence each.
fn details(table: &Table) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(table.separator.map(|separator| format!("cells are separated by {separator:?}")));
    all.extend(
        table
            .id_in_name
            .as_ref()
            .map(|id| format!("{} is in the name {} where no column holds it", id.column, id.pattern)),
    );
    all.extend(
        table.keep.iter().map(|keep| format!("rows whose {} is {}", keep.column, keep.equals.join(" or "))),
    );
    all.extend(table.between.as_ref().map(|between| {
        let (begins, ends) = (between.begins.join(" or "), between.ends.join(" or "));
        format!("from {} {begins} to {ends}", between.code)
    }));
    if let TableKind::Events(events) = &table.kind {
        all.extend(
            events.revision.as_ref().map(|revision| format!("the result with the largest {revision} counts")),
        );
        all.extend(events.related.iter().map(|relation| {
            let from = relation.from.join("//");
            format!("rows of {} count as {from}, by {}", relation.to, relation.files.join(", "))
        }));
        all.extend(events.amount.then(|| {
            let end = events.end.as_deref().unwrap_or_default();
            format!("{} to {end} share the amount in proportion to the time", events.time)
        }));
        all.extend(events.operator.as_ref().map(|operator| {
            let (below, above) = (operator.below.join(" or "), operator.above.join(" or "));
            format!("{} {below} is below the number, {above} above it", operator.column)
        }));
    }
    all
}

/// Header and rows as lines, each column as wide as its widest cell.
fn aligned<const N: usize>(header: &[&str; N], rows: &[[String; N]]) -> Vec<String> {
    let all: Vec<[&str; N]> = std::iter::once(*header)
        .chain(rows.iter().map(|row| std::array::from_fn(|i| row[i].as_str())))
        .collect();
    let widths: [usize; N] =
        std::array::from_fn(|i| all.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
    let line = |row: &[&str; N]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

fn row(variable: &Variable) -> [String; 7] {
    let range = variable.range.map(|(low, high)| format!("{low}..{high}")).unwrap_or_default();
    let resolution = variable.resolution.map(|r| r.to_string()).unwrap_or_default();
    let sources = match &variable.derived {
        Some(derived) => format!("= {}", derived.expression),
        None => variable.sources.iter().map(source_text).collect::<Vec<_>>().join("; "),
    };
    let kind = variable.kind.name().to_owned();
    [variable.name.clone(), variable.label.clone(), variable.unit.clone(), kind, range, resolution, sources]
}

/// Where a variable is found, in short.
pub(super) fn source_text(source: &Source) -> String {
    match source {
        Source::Events { table, items, .. } => {
            let mut shown: Vec<String> = items.iter().take(ITEMS_SHOWN).map(item).collect();
            if items.len() > ITEMS_SHOWN {
                shown.push(format!("and {} more", items.len() - ITEMS_SHOWN));
            }
            format!("{table} {}", shown.join(", "))
        }
        Source::Column { table, column } => format!("{table}.{column}"),
        Source::Hours { table, column } => format!("hours to {table}.{column}"),
        Source::Next { table, column } => format!("hours to the next {table}.{column}"),
        Source::Listed { table, column, values } => {
            let more = values.len().saturating_sub(ITEMS_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let shown: Vec<&str> = values.iter().take(ITEMS_SHOWN).map(String::as_str).collect();
            format!("{table}.{column} {}{more}", shown.join(", "))
        }
        Source::Age { table, birth, .. } => format!("years since {table}.{birth}"),
        Source::Years { table, from, .. } => format!("years from {table}.{}", from.columns().join(", ")),
    }
}

fn item(item: &Item) -> String {
    match item {
        Item::Id(id) => id.to_string(),
        Item::Name(name) => name.clone(),
    }
}

/// A pipeline: whom it takes, when, how it is split, and one line per feature, with labels when the schema is
/// there.
pub fn render_pipeline(pipeline: &Pipeline, schema: Option<&Schema>) -> String {
    let mut out = format!("{}  {}\n", pipeline.name, pipeline.title);
    let mut line = |name: &str, text: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name:<13}{text}");
    };
    match pipeline.kind() {
        PipelineKind::Cohort => {
            line("schema", pipeline.schema.clone());
            line("window", window(&pipeline.window));
        }
        PipelineKind::Table(_) => line("input", "one wide table, or one file per split".into()),
        PipelineKind::Windows(waveform) => {
            line("input", "recordings of signals".into());
            let after = match waveform.past {
                0 => String::new(),
                past => format!(", given the {past} samples before"),
            };
            let channels = waveform.channels.join(", ");
            line("window", format!("{} samples of {channels}{after}", waveform.window));
        }
        PipelineKind::Grid(grid) => {
            line("input", "pictures".into());
            let size = match (grid.height, grid.width) {
                (0, _) | (_, 0) => "as most pictures have it".to_owned(),
                (height, width) => format!("{height} × {width} pixels"),
            };
            line("size", size);
            line("levels", grid.levels.to_string());
        }
    }
    if pipeline.episodes {
        line("episodes", "stays that follow each other closely are one record".into());
    }
    for (number, rule) in pipeline.rules.iter().enumerate() {
        line(
            if number == 0 { "rules" } else { "" },
            format!("{} ({})", rule.name, predicate(&rule.predicate)),
        );
    }
    line("transform", pipeline.transform.name().into());
    line("dequantize", pipeline.dequantize.to_string());
    line("min_observed", pipeline.min_observed.to_string());
    if pipeline.min_level_patients > 1 {
        line("rare levels", format!("of fewer than {} training patients", pipeline.min_level_patients));
    }
    let has_parts = |feature: &Feature| {
        let derived = schema.and_then(|s| s.variable(&feature.variable)).and_then(|v| v.derived.as_ref());
        derived.is_some_and(|derived| derived.expression.contains("part("))
    };
    if pipeline.features.iter().any(has_parts) {
        let text = match pipeline.missing_parts {
            MissingParts::Normal => "a part of a score that nobody recorded is normal",
            MissingParts::Missing => "a score is missing where nobody recorded one of its parts",
        };
        line("parts", text.into());
    }
    let labels: Vec<&str> = match pipeline.kind() {
        PipelineKind::Table(wide) => wide.labels.iter().map(String::as_str).collect(),
        PipelineKind::Cohort | PipelineKind::Windows(_) | PipelineKind::Grid(_) => {
            pipeline.labels.iter().map(|label| label.name.as_str()).collect()
        }
    };
    if !labels.is_empty() {
        line("labels", labels.join(", "));
    }
    let split = &pipeline.split;
    let shares =
        [split.train, split.validation, split.calibration, split.test].map(|share| share.to_string());
    line("split", format!("{} (train / validation / calibration / test)", shares.join(" / ")));
    line("seed", pipeline.seed.to_string());
    match pipeline.kind() {
        PipelineKind::Cohort => {}
        PipelineKind::Table(_) | PipelineKind::Windows(_) | PipelineKind::Grid(_) => return out,
    }
    let rows: Vec<[String; 4]> = pipeline
        .features
        .iter()
        .map(|feature| {
            let variable = schema.and_then(|s| s.variable(&feature.variable));
            let aggregation =
                if variable.is_some_and(Variable::is_single) { "" } else { feature.aggregation.name() };
            let label = variable.map_or(feature.variable.as_str(), |v| &v.label);
            let unit = variable.map_or("", |v| &v.unit);
            [feature.name.as_str(), label, aggregation, unit].map(str::to_owned)
        })
        .collect();
    for text in
        std::iter::once(String::new()).chain(aligned(&["feature", "variable", "aggregation", "unit"], &rows))
    {
        out.push_str(&text);
        out.push('\n');
    }
    let _ = writeln!(out, "\n{} features", rows.len());
    out
}

fn window(window: &Window) -> String {
    let mut text = format!("{} to {} h", window.start_hours, window.end_hours);
    match &window.relative_to {
        None => {}
        // Writing to a String cannot fail.
        Some(Anchor::Column { column, .. }) => drop(write!(text, " after {column}")),
        Some(Anchor::FirstEvent { variable }) => drop(write!(text, " after the first {variable}")),
    }
    if let Some(step) = window.step_hours {
        let _ = write!(text, ", one record of {} h every {step} h", window.width_hours.unwrap_or(step));
    }
    text
}

fn predicate(predicate: &Predicate) -> String {
    match predicate {
        Predicate::Between { column, min, max } => match (min, max) {
            (Some(min), Some(max)) => format!("{min} ≤ {column} ≤ {max}"),
            (Some(min), None) => format!("{column} ≥ {min}"),
            (None, Some(max)) => format!("{column} ≤ {max}"),
            (None, None) => column.clone(),
        },
        Predicate::OneOf { column, values } => format!("{column} is {}", values.join(" or ")),
        Predicate::NoneOf { column, values } => format!("{column} is not {}", values.join(" or ")),
        Predicate::SameAs { column, other } => format!("{column} = {other}"),
        Predicate::OnlyPer { column } => format!("the only record of its {column}"),
        Predicate::FirstPerSubject => "earliest record of the patient".into(),
        Predicate::MinFeatures { count } => format!("at least {count} features observed"),
    }
}
