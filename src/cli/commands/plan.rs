//! `plan` and `spark`.

use std::fmt::Write as _;
use std::fs;

use clap::ValueEnum;

use crate::error::IoError;
use crate::ingest::{ReadingPlan, TablePlan};
use crate::message::counted;
use crate::output::Staged;
use crate::pipeline::{self, Lake};

use crate::cli::args;
use crate::cli::console::{Console, print, print_json};
use crate::cli::exit::{Outcome, Result};

pub(super) fn plan(args: &args::Plan) -> Result {
    let plan = pipeline::plan((&args.pipeline, args.schema.as_deref()), &args.settings)?;
    if args.json {
        print_json(&plan)?;
    } else {
        print(&text(&plan))?;
    }
    Ok(Outcome::Done)
}

fn text(plan: &ReadingPlan) -> String {
    let mut out = format!("{} on {}\n", plan.pipeline, plan.schema);
    for table in &plan.tables {
        let _ = writeln!(out, "\n{} ({}; {})", table.name, table.role, table.files.join(", "));
        let columns: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
        let _ = writeln!(out, "  columns   {}", columns.join(", "));
        for (what, column) in
            [("joined by", &table.key), ("record", &table.record), ("patient", &table.patient)]
        {
            if let Some(column) = column {
                let _ = writeln!(out, "  {what:<9} {column}");
            }
        }
        if table.role == "events" {
            let _ = writeln!(out, "  rows      {}", rows(table));
        }
    }
    out.push('\n');
    for (i, stage) in plan.stages.iter().enumerate() {
        let _ = writeln!(out, "{}. {stage}", i + 1);
    }
    out
}

fn rows(table: &TablePlan) -> String {
    match &table.items {
        None => "all".into(),
        Some(items) => {
            let n = items.numbers.len() + items.names.len();
            format!("with one of {} in {}", counted(n, "item", "items"), items.column)
        }
    }
}

pub(super) fn spark(args: &args::Spark, console: &Console) -> Result {
    let format =
        args.format.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let lake = Lake { tables: args.tables.trim_end_matches('/'), format: &format };
    let job = pipeline::spark_job((&args.pipeline, args.schema.as_deref()), &args.settings, lake)?;
    let Some(output) = &args.output else {
        print(&job)?;
        return Ok(Outcome::Done);
    };
    let staged = Staged::file(output, args.force)?;
    fs::write(staged.path(), job).map_err(IoError::on("write", output))?;
    staged.commit()?;
    console.note(&format!("wrote {}", output.display()));
    Ok(Outcome::Done)
}
