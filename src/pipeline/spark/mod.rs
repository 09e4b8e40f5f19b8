//! `plan` and `spark`: what an ingestion reads, and a PySpark job that reads it on a cluster. The job is made
//! from a template, so that users can read and change what runs on their data.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;

use crate::ingest::{ReadingPlan, TablePlan, reading_plan};
use crate::schema;

use super::Error;

const JOB: &str = include_str!("job.py");

/// Where the tables of a lake are, and how they are stored.
#[derive(Debug, Clone, Copy)]
pub struct Lake<'a> {
    /// Name of a database of the catalog, or a folder.
    pub tables: &'a str,
    /// `catalog`, `parquet`, `delta` or `csv`.
    pub format: &'a str,
}

/// What the ingestion of an extract reads.
///
/// # Errors
/// A pipeline or schema that cannot be read; a pipeline for a single table; patients that cannot be divided.
pub fn plan(
    (pipeline, schema): (&str, Option<&str>),
    settings: &[(String, String)],
) -> Result<ReadingPlan, Error> {
    if schema::is_over_concepts(pipeline)? && schema.is_none() {
        return Err(Error::Usage {
            message: format!("pipeline {pipeline} reads any database"),
            hint: format!("name one by `--schema`: {}, or a TOML file", schema::schema_names().join(", ")),
        });
    }
    let (mut pipeline, schema) = schema::load_pipeline_on(pipeline, schema)?;
    schema::apply_settings(&mut pipeline, settings)?;
    let Some(schema) = schema else {
        return Err(Error::Usage {
            message: format!("pipeline {} reads no tables of a database", pipeline.name),
            hint: "a table with one row per record, or signals, are ingested in one run".into(),
        });
    };
    Ok(reading_plan(&schema, &pipeline)?)
}

/// A text as Python reads it; so are numbers and lists of both.
fn literal<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("invariant: texts, numbers and lists of them")
}

/// The name of a file without its folder.
fn base(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// Refuses tables that share their files with an event table: a task writes a file for each.
fn check_files(plan: &ReadingPlan) -> Result<(), Error> {
    for (i, events) in plan.tables.iter().enumerate().filter(|(_, table)| table.role == "events") {
        let shares = |(j, other): &(usize, &TablePlan)| *j != i && other.files == events.files;
        if let Some((_, other)) = plan.tables.iter().enumerate().find(shares) {
            return Err(Error::Usage {
                message: format!(
                    "tables {} and {} of schema {} are rows of the same files, which the job cannot divide",
                    events.name, other.name, plan.schema
                ),
                hint: "divide the files yourself, and run `ingest --part K/N` on each".into(),
            });
        }
    }
    Ok(())
}

/// An event table as the job has it.
#[derive(Serialize)]
struct Events {
    name: String,
    columns: String,
    record: String,
    patient: String,
    item: String,
    items: String,
}

/// A PySpark job for an ingestion.
///
/// # Errors
/// As for [`plan`].
pub fn spark_job(
    (pipeline, schema): (&str, Option<&str>),
    settings: &[(String, String)],
    lake: Lake<'_>,
) -> Result<String, Error> {
    let plan = plan((pipeline, schema), settings)?;
    check_files(&plan)?;
    let place = |file: &String| match lake.format {
        "catalog" => format!("{}.{}", lake.tables, base(file)),
        "csv" => format!("{}/{file}.csv*", lake.tables),
        "parquet" => format!("{}/{file}*", lake.tables),
        _ => format!("{}/{file}", lake.tables),
    };
    let paths: BTreeMap<&String, String> = plan
        .tables
        .iter()
        .map(|table| (&table.name, literal(&table.files.iter().map(place).collect::<Vec<_>>())))
        .collect();
    let names = |columns: &[(String, &str)]| columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    // Several tables may be made of one file, which then holds the columns of all of them.
    let mut whole: Vec<TablePlan> = Vec::new();
    for table in plan.tables.iter().filter(|table| table.role != "events") {
        match whole.iter_mut().find(|first| first.files == table.files) {
            Some(first) => {
                let more = table.columns.iter().filter(|column| !first.columns.contains(column));
                let more: Vec<_> = more.cloned().collect();
                first.columns.extend(more);
            }
            None => whole.push(table.clone()),
        }
    }
    let whole: BTreeMap<&String, String> =
        whole.iter().map(|table| (&table.name, literal(&names(&table.columns)))).collect();
    let files: BTreeMap<&String, String> =
        plan.tables.iter().map(|table| (&table.name, base(&table.files[0]).replace('*', "x"))).collect();
    let of_events = plan.tables.iter().filter(|table| table.role == "events");
    let events: Vec<Events> = of_events
        .map(|table| Events {
            name: literal(&table.name),
            columns: literal(&names(&table.columns)),
            record: literal(&table.record.clone().unwrap_or_default()),
            patient: literal(&table.patient.clone().unwrap_or_default()),
            item: literal(&table.items.as_ref().map(|items| items.column.clone()).unwrap_or_default()),
            items: table.items.as_ref().map_or("[]".into(), |items| {
                let numbers = items.numbers.iter().map(ToString::to_string);
                literal(&numbers.chain(items.names.iter().cloned()).collect::<Vec<_>>())
            }),
        })
        .collect();
    let optional: Vec<&String> =
        plan.tables.iter().filter(|table| table.optional).map(|table| &table.name).collect();
    let mut ingest = vec![pipeline.to_owned()];
    if let (Some(schema), true) = (schema, schema::is_over_concepts(pipeline)?) {
        ingest.extend(["--schema".to_owned(), schema.to_owned()]);
    }
    ingest.extend(settings.iter().flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let key = &plan.partition;
    let values = context! {
        pipeline => plan.pipeline,
        format => literal(&lake.format),
        ingest => literal(&ingest),
        paths => Serde(&paths),
        files => literal(&files),
        whole => Serde(&whole),
        events => Serde(&events),
        optional => literal(&optional),
        records => literal(&key.records.clone().unwrap_or_default()),
        record => literal(&key.record),
        patient => literal(&key.patient),
    };
    let job = environment.render_str(JOB, values);
    Ok(job.expect("invariant: the template names what it is given") + "\n")
}
