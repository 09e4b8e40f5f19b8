//! A small extract by hand, whose results are known, and the same extract written in every other way.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::*;
use crate::schema::{Pipeline, Schema, SchemaError, parse_pipeline, parse_schema};

mod absent;
mod amounts;
mod contradictions;
mod errors;
mod long;
mod scores;
mod signals;
mod stored;
mod values;
mod windows;

const SCHEMA: &str = r#"
name = "mini"
title = "a small extract"

[record]
table = "STAYS"
id = "STAY_ID"
subject = "SUBJECT_ID"
start = "INTIME"
end = "OUTTIME"

[tables.STAYS.columns]
STAY_ID = "integer"
SUBJECT_ID = "integer"
INTIME = "datetime"
OUTTIME = "datetime"
LOS = "float"

[tables.PATIENTS]
key = "SUBJECT_ID"
columns = { SUBJECT_ID = "integer", GENDER = "text", DOB = "datetime" }

[tables.EVENTS]
files = ["EVENTS", "EVENTS_*"]
drop = [{ column = "ERROR", equals = [1], reason = "charted in error" }]
columns = { STAY_ID = "integer", SUBJECT_ID = "integer", ITEM = "integer", AT = "datetime", TEXT = "text", NUMBER = "float", UNIT = "text", ERROR = "integer" }
events = { record = "STAY_ID", subject = "SUBJECT_ID", time = "AT", item = "ITEM", value = "NUMBER", text = "TEXT", unit = "UNIT" }

[variables.age]
label = "Age"
group = "who"
unit = "years"
sources = [{ table = "PATIENTS", birth = "DOB", cap = 91.4 }]

[variables.gender]
label = "Gender"
group = "who"
kind = "categorical"
levels = { female = "F", male = "M" }
sources = [{ table = "PATIENTS", column = "GENDER" }]

[variables.hr]
label = "Heart rate"
group = "vitals"
unit = "bpm"
range = [10, 300]
sources = [
  { table = "EVENTS", items = [1], units = ["bpm"] },
  { table = "EVENTS", items = [2], units = ["bpm"], precedence = 1 },
]

[variables.rhythm]
label = "Rhythm"
group = "vitals"
kind = "categorical"
levels = { sinus = "SR*", fibrillation = "AF" }
aggregate = "last"
sources = [{ table = "EVENTS", items = [3] }]

[variables.weight]
label = "Weight"
group = "who"
unit = "kg"
range = [20, 400]
aggregate = "first"
conversions = [{ unit = "lb", scale = 0.5 }]
sources = [{ table = "EVENTS", items = [4], units = ["kg"] }]
"#;

const PIPELINE: &str = r#"
name = "mini"
title = "first ten hours"
schema = "mini"
features = ["age", "gender", "hr", "hr:max", "hr:std", "hr:median", "hr:first", "hr:count", "rhythm", "weight"]

[[rules]]
name = "adults"
column = "age"
min = 18

[window]
start = 0
end = 10
until_end = true
"#;

const STAYS: &[&str] = &[
    "10,1,2150-01-01 00:00:00,2150-01-03 00:00:00,2",
    "11,2,2150-01-01 12:00:00,2150-01-01 18:00:00,0.25",
    "12,3,2150-01-01 00:00:00,,",
    "13,1,2150-02-01 00:00:00,2150-02-02 00:00:00,1",
];

const PATIENTS: &[&str] = &["1,F,2100-01-01 00:00:00", "2,M,1850-01-01 00:00:00", "3,F,2140-01-01 00:00:00"];

const EVENTS: &[&str] = &[
    "10,1,1,2150-01-01 00:00:00,80,80,BPM,",
    "10,1,1,2150-01-01 00:00:00,90,90,bpm,0",
    "10,1,1,2150-01-01 09:59:59,100.3,100.3,,",
    "10,1,1,2150-01-01 10:00:00,200,200,bpm,",
    "10,1,1,2149-12-31 23:59:59,200,200,bpm,",
    "10,1,1,2150-01-01 01:00:00,250,250,bpm,1",
    "10,1,1,2150-01-01 02:00:00,11647,11647,bpm,0",
    "10,1,1,2150-01-01 02:00:00,5,5,bpm,0",
    "10,1,1,2150-01-01 03:00:00,,,bpm,",
    "10,1,1,2150-01-01 03:00:00,80,80,per h,",
    "10,1,2,2150-01-01 04:00:00,50,50,bpm,",
    ",1,1,2150-02-01 05:00:00,61,61,bpm,",
    ",1,1,2150-01-20 05:00:00,62,62,bpm,",
    ",9,1,2150-01-20 05:00:00,62,62,bpm,",
    "99,1,1,2150-01-01 04:00:00,50,50,bpm,",
    "11,2,2,2150-01-01 13:00:00,70,70,bpm,",
    "11,2,1,2150-01-01 18:00:01,70,70,bpm,",
    "12,3,1,2150-01-01 01:00:00,70,70,bpm,",
    "10,1,3,2150-01-01 01:00:00,SR (Sinus),,,",
    "10,1,3,2150-01-01 05:00:00,AF,,,",
    "10,1,3,2150-01-01 05:00:00,SR,,,",
    "10,1,3,2150-01-01 06:00:00,\"paced, VVI\",,,",
    "10,1,4,2150-01-01 06:00:00,160,160,lb,",
    "10,1,77,2150-01-01 06:00:00,160,160,lb,",
    "10,1,1,,70,70,bpm,",
];

fn schema() -> Schema {
    parse_schema("mini.toml", SCHEMA).unwrap_or_else(|e| panic!("{e:?}"))
}

fn pipeline(text: &str) -> Pipeline {
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema()) };
    parse_pipeline("mini.toml", text, &load).unwrap_or_else(|e| panic!("{e:?}")).0
}

fn csv_text(header: &str, rows: &[&str]) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text
}

const EVENTS_HEADER: &str = "stay_id,subject_id,item,at,text,number,unit,error";

fn write_extract(dir: &Path) {
    fs::write(dir.join("stays.csv"), csv_text("stay_id,subject_id,intime,outtime,los", STAYS)).unwrap();
    fs::write(dir.join("patients.csv"), csv_text("subject_id,gender,dob", PATIENTS)).unwrap();
    fs::write(dir.join("events.csv"), csv_text(EVENTS_HEADER, EVENTS)).unwrap();
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn run(dir: &Path) -> Result<RecordTable, IngestError> {
    ingest(&schema(), &pipeline(PIPELINE), dir, &NoProgress)
}

fn numbers(table: &RecordTable, name: &str) -> Vec<f64> {
    match &table.columns.iter().find(|c| c.name == name).unwrap().cells {
        Cells::Number(x) => x.to_vec(),
        Cells::Text(_) => panic!("{name} is text"),
    }
}
