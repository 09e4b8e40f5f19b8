//! `schema check`, `show`, `list`, `compare`, `infer` and `json-schema`.

use std::fmt::Write as _;

use serde_json::json;

use crate::ingest;
use crate::message::counted;
use crate::pipeline::Error;
use crate::schema::{self, SchemaError};

use crate::cli::args;
use crate::cli::console::{Console, print, print_json};
use crate::cli::diagnostics;
use crate::cli::exit::{Outcome, Result};

pub(super) fn run(args: &args::Schema, console: &Console) -> Result {
    match args {
        args::Schema::Check { files, json } => check(files, *json, console),
        args::Schema::Show { name, json } => show(name, *json),
        args::Schema::List => list(),
        args::Schema::Compare { one, other, json } => compare(one, other, *json),
        args::Schema::Infer { folder: Some(folder), .. } => infer_folder(folder, console),
        args::Schema::Infer { table, .. } => {
            infer(table.as_deref().expect("invariant: clap requires a table or a folder"))
        }
        args::Schema::Json { kind } => json_schema(kind),
    }
}

fn check(files: &[String], as_json: bool, console: &Console) -> Result {
    let mut findings = Vec::new();
    for file in files {
        match load(file) {
            Ok(_) => console.note(&format!("{file}: no problem found")),
            Err(SchemaError::Invalid { file, text, problems }) => {
                if !as_json {
                    console.note(diagnostics::render_problems(&file, &text, &problems).trim_end());
                }
                for p in problems {
                    findings
                        .push(json!({ "file": file, "line": p.line, "message": p.message, "hint": p.hint }));
                }
            }
            Err(other) => return Err(other.into()),
        }
    }
    if as_json {
        print_json(&findings)?;
    }
    Ok(if findings.is_empty() { Outcome::Done } else { Outcome::Findings })
}

/// A schema or pipeline with all its settings resolved.
enum Loaded {
    Schema(Box<schema::Schema>),
    Pipeline(Box<schema::Pipeline>, Option<Box<schema::Schema>>),
}

fn load(name: &str) -> std::result::Result<Loaded, SchemaError> {
    if schema::is_pipeline(name)? {
        let (pipeline, schema) = schema::load_pipeline(name)?;
        Ok(Loaded::Pipeline(Box::new(pipeline), schema.map(Box::new)))
    } else {
        Ok(Loaded::Schema(Box::new(schema::load_schema(name)?)))
    }
}

fn show(name: &str, as_json: bool) -> Result {
    match load(name).map_err(Error::from)? {
        Loaded::Schema(schema) if as_json => print_json(&schema)?,
        Loaded::Schema(schema) => print(&schema::render_schema(&schema))?,
        Loaded::Pipeline(pipeline, _) if as_json => print_json(&pipeline)?,
        Loaded::Pipeline(pipeline, schema) => {
            print(&schema::render_pipeline(&pipeline, schema.as_deref()))?;
        }
    }
    Ok(Outcome::Done)
}

fn infer(table: &std::path::Path) -> Result {
    let name = table.file_stem().map_or_else(|| "table".into(), |stem| stem.to_string_lossy().into_owned());
    // The name `table.csv.gz` has two endings to remove.
    let name = name.strip_suffix(".csv").unwrap_or(&name).to_owned();
    let draft = ingest::draft_wide(table).map_err(Error::from)?;
    print(&schema::draft_pipeline(&name, &draft))?;
    Ok(Outcome::Done)
}

fn infer_folder(folder: &std::path::Path, console: &Console) -> Result {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let name = whole.file_name().map_or_else(|| "folder".into(), |name| name.to_string_lossy().into_owned());
    let draft = ingest::draft_folder(folder, &name).map_err(Error::from)?;
    print(&draft.text)?;
    let (all, read) = draft.tables;
    console.note(&format!(
        "{} of {} found in {read} of {}: check every line, then run `schema check`",
        draft.concepts.len(),
        counted(schema::dictionary().len(), "concept", "concepts"),
        counted(all, "table", "tables")
    ));
    Ok(Outcome::Done)
}

fn json_schema(kind: &str) -> Result {
    let text = match kind {
        "pipeline" => schema::pipeline_json_schema(),
        "concepts" => schema::concepts_json_schema(),
        _ => schema::schema_json_schema(),
    };
    print(&text)?;
    Ok(Outcome::Done)
}

fn compare(one: &str, other: &str, as_json: bool) -> Result {
    let (one, other) = (schema::load_schema(one)?, schema::load_schema(other)?);
    let comparison = schema::compare(schema::dictionary(), &one, &other);
    if as_json {
        print_json(&comparison)?;
    } else {
        print(&schema::render_comparison(&comparison))?;
    }
    Ok(Outcome::Done)
}

fn list() -> Result {
    let mut out = String::from("schemas\n");
    for name in schema::schema_names() {
        writeln!(out, "  {name:<28} {}", schema::load_schema(name)?.title)
            .expect("invariant: a string grows");
    }
    out.push_str("pipelines\n");
    for name in schema::pipeline_names() {
        writeln!(out, "  {name:<28} {}", schema::load_pipeline(name)?.0.title)
            .expect("invariant: a string grows");
    }
    print(&out)?;
    Ok(Outcome::Done)
}
