//! Files with mistakes, and what is told about them.

mod fits;
mod json_schema;
mod mistakes;

use super::*;
use crate::error::Hint;
use crate::schema::{Aggregation, Description, Kind, Predicate, Problem, Source, Window};

/// Line numbers of the mistakes are those of these texts.
const WARD: &str = include_str!("ward.toml");
const OFFSETS: &str = include_str!("offsets.toml");
const CODES: &str = include_str!("codes.toml");
const ROUNDS: &str = include_str!("rounds.toml");
const TABLE: &str = include_str!("table.toml");

fn load(name: &str) -> Result<Schema, SchemaError> {
    match name {
        "ward" => parse_schema("ward.toml", WARD),
        "broken" => parse_schema("broken.toml", "name = 1"),
        _ => Err(SchemaError::Unknown {
            what: Description::Schema,
            name: name.into(),
            known: vec!["ward"],
            similar: None,
        }),
    }
}

fn pipeline_of(text: &str) -> Result<Pipeline, SchemaError> {
    parse_pipeline("rounds.toml", text, &load).map(|(pipeline, _)| pipeline)
}

fn problems<T: std::fmt::Debug>(result: Result<T, SchemaError>) -> Vec<Problem> {
    match result {
        Err(SchemaError::Invalid { problems, .. }) => problems,
        other => panic!("expected problems, got {other:?}"),
    }
}

#[test]
fn all_problems_of_a_file_are_reported_at_once_in_its_order() {
    let text = WARD
        .replace("range = [10, 300]", "range = [300, 10]")
        .replace("label = \"Pulse\"", "lable = \"Pulse\"")
        .replace("birth = \"BORN\"", "birth = \"BIRTH\"")
        .replace("items = [3]", "items = [2]")
        .replace("kind = \"ordinal\"", "kind = \"scale\"")
        .replace("table = \"PEOPLE\", column", "table = \"PERSONS\", column");
    let error = parse_schema("ward.toml", &text).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"
    ward.toml:25: table `PEOPLE` has no column `BIRTH`
    ward.toml:30: unknown table `PERSONS`
    ward.toml:33: unknown key `lable` in variable `pulse`
    ward.toml:36: `range` must run from low to high, found 300 to 10
    ward.toml:40: item `2` of table `CHART` is listed twice; it would count twice
    ward.toml:44: unknown kind `scale`; allowed are `continuous`, `count`, `ordinal`, `binary`, `categorical`
    ");
    insta::assert_snapshot!(error.hint().unwrap(), @"
    line 25: allowed are `PATIENT_ID`, `BORN`, `SEX`
    line 30: allowed are `STAYS`, `PEOPLE`, `CHART`
    line 33: did you mean `label`?
    line 36: write `range = [10, 300]`
    ");
}

#[test]
fn span_is_the_text_the_problem_is_about() {
    let text = WARD.replace("items = [3]", "items = [2]");
    let found = problems(parse_schema("ward.toml", &text));
    assert_eq!(&text[found[0].span.clone()], "2");
    let text = WARD.replace("label = ", "lable = ");
    let found = problems(parse_schema("ward.toml", &text));
    assert_eq!(&text[found[0].span.clone()], "lable");
}

#[test]
fn a_schema_in_place_of_a_pipeline_is_one_problem() {
    let found = problems(pipeline_of(WARD));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "this is a schema, not a pipeline");
    let found = problems(parse_schema("rounds.toml", ROUNDS));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "this is a pipeline, not a schema");
}

#[test]
fn an_invalid_schema_is_reported_after_the_pipelines_own_problems() {
    let text = ROUNDS.replace("schema = \"ward\"", "schema = \"broken\"");
    let SchemaError::Invalid { file, .. } = pipeline_of(&text).unwrap_err() else {
        panic!("expected problems")
    };
    assert_eq!(file, "broken.toml");
    let text = text.replace("seed", "seeed").replace("end = 24", "end = -1");
    let SchemaError::Invalid { file, problems, .. } = pipeline_of(&text).unwrap_err() else {
        panic!("expected problems")
    };
    assert_eq!((file.as_str(), problems.len()), ("rounds.toml", 1));
}

#[test]
fn valid_texts_resolve_with_defaults() {
    let schema = parse_schema("ward.toml", WARD).unwrap();
    assert_eq!(schema.tables[1].files, ["PEOPLE"]);
    let pulse = schema.variable("pulse").unwrap();
    assert_eq!((pulse.kind, pulse.aggregate), (Kind::Continuous, Aggregation::Mean));
    assert_eq!(schema.variable("eye").unwrap().resolution, Some(1.0));
    assert_eq!(schema.variable("eye").unwrap().value_map, [("None".into(), 1.0), ("To pain".into(), 2.0)]);
    assert_eq!(
        schema.variable("sex").unwrap().levels,
        [("F".into(), "female".into()), ("M".into(), "male".into())]
    );
    assert!(schema.variable("age").unwrap().is_static() && !pulse.is_static());

    let pipeline = pipeline_of(ROUNDS).unwrap();
    let names: Vec<_> = pipeline.features.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["age", "sex", "pulse", "pulse_max", "worst_eye"]);
    assert_eq!(pipeline.window, Window { end_hours: 24.0, until_end: true, ..Window::default() });
    assert_eq!(pipeline.rules[1].predicate, Predicate::FirstPerSubject);

    let wide = pipeline_of(TABLE).unwrap().wide.unwrap();
    assert_eq!((wide.id.as_deref(), wide.kinds), (Some("id"), vec![("stage".into(), Kind::Ordinal)]));
}

#[test]
fn references_take_the_declared_spelling() {
    let text = WARD.replace("id = \"STAY_ID\"", "id = \"stay_id\"");
    let schema =
        parse_schema("ward.toml", &text.replace("table = \"PEOPLE\", birth", "table = \"people\", birth"))
            .unwrap();
    assert_eq!(schema.record.id, "STAY_ID");
    let Source::Age { table, .. } = &schema.variable("age").unwrap().sources[0] else { panic!("an age") };
    assert_eq!(table, "PEOPLE");
}

#[test]
fn all_that_is_wrong_with_expressions_is_told_at_once() {
    let more = "
[variables.broken]
expression = \"pulse +\"

[variables.misspelt]
expression = \"puls + eye\"

[variables.unlike]
expression = \"pulse + age\"

[variables.misdeclared]
unit = \"bpm\"
expression = \"pulse / age\"

[variables.round]
expression = \"nested * pulse\"

[variables.nested]
expression = \"round + sex\"
at = \"pulse\"

[variables.sound]
unit = \"bpm/years\"
expression = \"pulse:max / age\"
";
    let Err(SchemaError::Invalid { problems, .. }) = parse_schema("ward.toml", &format!("{WARD}{more}"))
    else {
        panic!("refused")
    };
    let found: Vec<(usize, &str)> = problems.iter().map(|p| (p.line, p.message.as_str())).collect();
    let messages: Vec<&str> = found.iter().map(|(_, m)| *m).collect();
    for expected in [
        "the expression breaks off",
        "unknown variable `puls`",
        "bpm and years are not of one unit",
        "the expression gives bpm/years, but the `unit` is bpm",
        "`nested` is computed from `round`, and that from it",
        "`round` is computed from `nested`, and that from it",
        "`sex` is categorical, there is no computing with it",
    ] {
        assert!(messages.contains(&expected), "{expected}: {found:#?}");
    }
    assert!(messages.iter().any(|m| m.starts_with("`at` names a measured variable")), "{found:#?}");
    assert_eq!(messages.len(), 8, "{found:#?}");
    let misspelt = problems.iter().find(|p| p.message.contains("puls`")).unwrap();
    assert_eq!(misspelt.hint.as_deref(), Some("did you mean `pulse`?"));
}

#[test]
fn windows_rules_and_features_are_checked() {
    for (from, to, message) in [
        (
            "end = 24",
            "end = 24\nstep = 0",
            "a step of 0 hours from 0 to 24 is more than 10000 windows per record",
        ),
        ("end = 24", "end = 24\nwidth = 2", "`width` has no meaning without `step`"),
        (
            "end = 24",
            "end = 24\nrelative_to = \"first age\"",
            "`age` is no measured variable of schema `ward`",
        ),
        ("end = 24", "end = 24\nrelative_to = \"SEX\"", "`SEX` is no time column of the records"),
        ("\"pulse:max\"", "{ variable = \"age\", lookback = 2 }", "`age` is one fact: neither"),
        (
            "\"pulse:max\"",
            "{ variable = \"pulse\", lookback = -2 }",
            "`lookback` is hours, 0 or more, found -2",
        ),
        ("one_of = [\"surgery\"]", "same_as = \"WARD\"", "unknown column `WARD`"),
    ] {
        let text = ROUNDS.replacen(from, to, 1);
        let Err(SchemaError::Invalid { problems, .. }) = pipeline_of(&text) else {
            panic!("{to} is refused")
        };
        assert!(problems.iter().any(|p| p.message.starts_with(message)), "{to}: {problems:#?}");
    }
    assert!(
        pipeline_of(&ROUNDS.replacen("end = 24", "end = 24\nstep = 1\nrelative_to = \"BORN\"", 1)).is_ok()
    );
}
