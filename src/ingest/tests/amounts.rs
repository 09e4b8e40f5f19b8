//! Amounts given over a time, two numbers in one text, and rows that only say that something was there.

use std::fs;

use super::windows::filled;
use super::{SCHEMA, write_extract};
use crate::ingest::{NoProgress, RecordTable, ingest};
use crate::schema::{Schema, SchemaError, parse_pipeline, parse_schema};

const MORE: &str = r#"
[tables.GIVEN]
columns = { STAY_ID = "integer", FROM = "datetime", UNTIL = "datetime", ITEM = "integer", AMOUNT = "float" }
events = { record = "STAY_ID", time = "FROM", end = "UNTIL", item = "ITEM", value = "AMOUNT", amount = true }

[tables.VISITS]
columns = { STAY_ID = "integer", AT = "datetime", WHAT = "text", SAID = "text" }
events = { record = "STAY_ID", time = "AT", item = "WHAT", text = "SAID" }

[variables.volume]
unit = "mL"
range = [0, 5000]
aggregate = "sum"
sources = [{ table = "GIVEN", items = [1] }]

[variables.upper]
range = [20, 300]
sources = [{ table = "VISITS", items = ["Blood Pressure*"], rule = "before-slash" }]

[variables.lower]
range = [20, 300]
sources = [{ table = "VISITS", items = ["Blood Pressure*"], rule = "after-slash" }]

[variables.seen]
kind = "binary"
aggregate = "max"
sources = [{ table = "VISITS", items = ["Visit"], rule = "present" }]
"#;

fn table(given: &str, visits: &str, window: &str) -> RecordTable {
    let schema = parse_schema("mini.toml", &format!("{SCHEMA}{MORE}")).unwrap_or_else(|e| panic!("{e:?}"));
    let features = "\"volume\", \"volume:count\", \"upper\", \"lower\", \"seen\"";
    let text = format!("name = \"mini\"\nschema = \"mini\"\nfeatures = [{features}]\n{window}");
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema.clone()) };
    let pipeline = parse_pipeline("mini.toml", &text, &load).unwrap_or_else(|e| panic!("{e:?}")).0;
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    fs::write(dir.path().join("given.csv"), format!("stay_id,from,until,item,amount\n{given}")).unwrap();
    fs::write(dir.path().join("visits.csv"), format!("stay_id,at,what,said\n{visits}")).unwrap();
    ingest(&schema, &pipeline, dir.path(), &NoProgress).unwrap()
}

const GIVEN: &str = "10,2149-12-31 22:00:00,2150-01-01 02:00:00,1,400\n\
                     10,2150-01-01 08:00:00,2150-01-01 12:00:00,1,100\n\
                     10,2150-01-01 03:00:00,2150-01-01 03:00:00,1,70\n\
                     13,2150-02-01 01:00:00,,1,50\n";
const VISITS: &str = "10,2150-01-01 02:00:00,Blood Pressure,120/80\n\
                      10,2150-01-01 03:00:00,Blood Pressure Sitting,140 / 90\n\
                      10,2150-01-01 04:00:00,Blood Pressure,n/a\n\
                      10,2150-01-01 05:00:00,Blood Pressure,1/2/3\n\
                      10,2150-01-01 06:00:00,Visit,\n\
                      13,2150-02-01 06:00:00,Blood Pressure,unknown\n";

#[test]
fn a_window_takes_its_part_of_an_amount() {
    let table = table(GIVEN, VISITS, "[window]\nstart = 0\nend = 10\nuntil_end = true\n");
    assert_eq!(table.record_ids, ["10", "11", "12", "13"]);
    // Two of four hours of 400, two of four of 100, and 70 at one moment; no end, no part.
    assert_eq!(filled(&table, "volume"), [320.0, -1.0, -1.0, -1.0]);
    assert_eq!(filled(&table, "volume_count")[0], 3.0);
}

#[test]
fn the_parts_of_all_windows_are_the_amount() {
    let table = table(GIVEN, VISITS, "[window]\nstart = 0\nend = 15\nuntil_end = true\nstep = 5\n");
    let volume = filled(&table, "volume");
    let of = |record: &str| volume[table.record_ids.iter().position(|id| id == record).unwrap()];
    assert_eq!([of("10@0"), of("10@5"), of("10@10")], [270.0, 50.0, 50.0]);
}

#[test]
fn two_numbers_in_one_text_and_rows_that_are_there() {
    let table = table(GIVEN, VISITS, "[window]\nstart = 0\nend = 10\nuntil_end = true\n");
    assert_eq!(filled(&table, "upper"), [130.0, -1.0, -1.0, -1.0]);
    assert_eq!(filled(&table, "lower"), [85.0, -1.0, -1.0, -1.0]);
    assert_eq!(filled(&table, "seen"), [1.0, -1.0, -1.0, -1.0]);
}

#[test]
fn what_has_no_meaning_is_a_problem_of_the_schema() {
    let wrong = [
        (MORE.replace("end = \"UNTIL\", ", ""), "`amount` is of what lasts"),
        (MORE.replace(", text = \"SAID\"", ""), "needs `value` or `text`"),
    ];
    for (more, said) in wrong {
        let problems = parse_schema("mini.toml", &format!("{SCHEMA}{more}")).unwrap_err();
        assert!(format!("{problems:?}").contains(said), "{said}: {problems:?}");
    }
}
