use super::*;
use crate::error::Hint;
use crate::schema::{Kind, Predicate, Problem, Window};

/// Line numbers of the cases below are those of this text.
const WARD: &str = r#"name = "ward"
title = "A small ward"

[record]
table = "STAYS"
id = "STAY_ID"
subject = "PATIENT_ID"
start = "IN"
end = "OUT"

[tables.STAYS]
columns = { STAY_ID = "integer", PATIENT_ID = "integer", IN = "datetime", OUT = "datetime", UNIT = "text" }

[tables.PEOPLE]
key = "PATIENT_ID"
columns = { PATIENT_ID = "integer", BORN = "datetime", SEX = "text" }

[tables.CHART]
columns = { STAY = "integer", T = "datetime", ITEM = "integer", X = "text", N = "float", U = "text", ERR = "integer" }
events = { record = "STAY", time = "T", item = "ITEM", value = "N", text = "X", unit = "U" }
drop = [{ column = "ERR", equals = [1] }]

[variables.age]
unit = "years"
sources = [{ table = "PEOPLE", birth = "BORN" }]

[variables.sex]
kind = "categorical"
levels = { female = "F", male = "M" }
sources = [{ table = "PEOPLE", column = "SEX" }]

[variables.pulse]
label = "Pulse"
group = "vitals"
unit = "bpm"
range = [10, 300]
resolution = 1
sources = [
  { table = "CHART", items = [1, 2], units = ["bpm"] },
  { table = "CHART", items = [3], scale = 60, precedence = 1 },
]

[variables.eye]
kind = "ordinal"
range = [1, 4]
value_map = { None = 1, "To pain" = 2 }
sources = [{ table = "CHART", items = [4] }]
"#;

const ROUNDS: &str = r#"name = "rounds"
schema = "ward"
min_observed = 0.1
features = [
  "age", "sex", "pulse",
  "pulse:max",
  { variable = "eye", aggregation = "min", name = "worst_eye" },
]
rules = [
  { name = "adults", column = "age", min = 18 },
  { name = "first stay", first_per_subject = true },
  { name = "surgical", column = "UNIT", one_of = ["surgery"] },
]

[window]
start = 0
end = 24

[split]
train = 0.6
validation = 0.1
calibration = 0.15
test = 0.15
"#;

const TABLE: &str = r#"name = "wide"
[wide]
id = "id"
ignore = ["note"]
kinds = { stage = "ordinal" }
"#;

fn load(name: &str) -> Result<Schema, SchemaError> {
    match name {
        "ward" => parse_schema("ward.toml", WARD),
        "broken" => parse_schema("broken.toml", "name = 1"),
        _ => Err(SchemaError::Unknown {
            what: crate::schema::Description::Schema,
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

/// One edit of a valid text, and the one problem it makes: line, message, part of the hint.
type Case = (&'static str, &'static str, usize, &'static str, &'static str);

fn check_cases<T: std::fmt::Debug>(
    base: &str,
    read: impl Fn(&str) -> Result<T, SchemaError>,
    cases: &[Case],
) {
    let mut wrong = Vec::new();
    for (from, to, line, message, hint) in cases {
        if base.matches(from).count() != 1 {
            wrong.push(format!("`{from}` is not unique in the base text"));
        }
        let found = problems(read(&base.replacen(from, to, 1)));
        let shown: Vec<_> = found.iter().map(|p| (p.line, p.message.as_str(), p.hint.as_deref())).collect();
        let as_expected = matches!(shown.as_slice(), [(l, m, given)] if l == line && m == message
            && given.is_none() == hint.is_empty() && given.unwrap_or_default().contains(hint));
        if !as_expected {
            wrong.push(format!("`{to}` made {shown:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_mistake_in_a_schema_is_one_problem_in_its_line() {
    #[rustfmt::skip] // one case per line reads as the table it is
    let cases: &[Case] = &[
        // the text itself
        ("unit = \"years\"", "unit = years", 24, "not valid TOML: string values must be quoted, expected literal string", "toml.io"),
        ("[variables.eye]", "[variables.pulse]", 43, "not valid TOML: duplicate key", "toml.io"),
        // keys and types
        ("label = \"Pulse\"", "lable = \"Pulse\"", 33, "unknown key `lable` in variable `pulse`", "did you mean `label`?"),
        ("title =", "units =", 2, "unknown key `units` in the schema", "allowed are"),
        ("id = \"STAY_ID\"", "id = \"STAY_ID\"\nroom = \"X\"", 7, "unknown key `room` in the record", "allowed are"),
        ("precedence = 1", "precedense = 1", 40, "unknown key `precedense` in a source of variable `pulse`", "`precedence`"),
        ("name = \"ward\"\n", "", 1, "the schema needs `name`", ""),
        ("unit = \"years\"", "unit = 3", 24, "`unit` must be a text, found a whole number", ""),
        ("unit = \"years\"", "unit = \" \"", 24, "`unit` is empty", ""),
        ("precedence = 1", "precedence = -1", 40, "`precedence` must be a whole number, 0 or more, found another", ""),
        // record and tables
        ("table = \"STAYS\"", "table = \"STAY\"", 5, "unknown table `STAY`", "did you mean `STAYS`?"),
        ("start = \"IN\"", "start = \"INN\"", 8, "table `STAYS` has no column `INN`", "did you mean `IN`?"),
        ("end = \"OUT\"", "end = \"UNIT\"", 9, "column `UNIT` is text, a record's start and end are `datetime`", "[tables.STAYS]"),
        ("[tables.PEOPLE]", "[tables.chart]\nkey = \"A\"\ncolumns = { A = \"text\" }\n[tables.PEOPLE]", 21, "table `CHART` is declared already, as `chart`; names differ by more than case", ""),
        ("SEX = \"text\"", "SEX = \"string\"", 16, "unknown column type `string`; allowed are `integer`, `float`, `text`, `datetime`, `elapsed`", ""),
        ("SEX = \"text\"", "SEX = \"text\", born = \"text\"", 16, "column `born` is declared already; headers are matched without regard to case", ""),
        ("key = \"PATIENT_ID\"\n", "", 14, "table `PEOPLE` says neither `key` nor `events`", "`key = \"COLUMN\"`"),
        ("key = \"PATIENT_ID\"", "key = \"PATIENT\"", 15, "table `PEOPLE` has no column `PATIENT`", "`PATIENT_ID`"),
        ("key = \"PATIENT_ID\"", "key = \"PATIENT_ID\"\nfiles = [\"people.csv\"]", 16, "file `people.csv` ends in `.csv`, name it without", "looked for"),
        ("key = \"PATIENT_ID\"", "key = \"PATIENT_ID\"\nfiles = [\"../people\"]", 16, "file `../people` names a folder", "--input"),
        ("key = \"PATIENT_ID\"", "key = \"PATIENT_ID\"\ndrop = []", 16, "`drop` applies to tables with `events`", ""),
        ("value = \"N\"", "value = \"X\"", 20, "column `X` is `text`, allowed here are `float`, `integer`", ""),
        ("record = \"STAY\", ", "", 20, "`events` of table `CHART` needs `record`, `subject` or both", ""),
        (" T = \"datetime\"", " T = \"elapsed\"", 18, "time column `T` of table `CHART` is elapsed, but as records have a `start` it has to be `datetime`", ""),
        ("column = \"ERR\"", "column = \"ERROR\"", 21, "table `CHART` has no column `ERROR`", "did you mean `ERR`?"),
        ("equals = [1]", "equals = []", 21, "`equals` is empty", ""),
        ("equals = [1]", "equals = [\"yes\"]", 21, "column `ERR` is `integer`, it never equals `yes`", ""),
        // variables
        ("[variables.eye]", "[variables.eye-score]", 43, "variable name `eye-score` must begin with a letter and hold only letters, digits and `_`", ""),
        ("[variables.eye]", "[variables.Pulse]", 43, "variable `Pulse` is declared already, as `pulse`; names differ by more than case", ""),
        ("kind = \"ordinal\"", "kind = \"ordinl\"", 44, "unknown kind `ordinl`; allowed are `continuous`, `count`, `ordinal`, `binary`, `categorical`", "did you mean `ordinal`?"),
        ("range = [10, 300]", "range = [300, 10]", 36, "`range` must run from low to high, found 300 to 10", "range = [10, 300]"),
        ("range = [10, 300]", "range = [10]", 36, "`range` must be two finite numbers, the lowest and the highest plausible value", ""),
        ("resolution = 1", "resolution = 0", 37, "`resolution` must be above 0, found 0", ""),
        ("resolution = 1", "resolution = nan", 37, "`resolution` must be a finite number", ""),
        ("resolution = 1", "resolution = 1000", 37, "`resolution` 1000 is wider than the range", ""),
        ("range = [1, 4]", "range = [1, 4]\nresolution = 0.5", 46, "`resolution` of kind `ordinal` is 1, found 0.5", ""),
        ("None = 1", "None = 7", 46, "`value_map` gives `None` the value 7, outside the range", ""),
        ("\"To pain\" = 2", "none = 2", 46, "`value_map` maps `none` twice; case does not matter", ""),
        ("value_map = { None = 1, \"To pain\" = 2 }", "value_map = [[\"None\"]]", 46, "each entry of `value_map` is a pair `[text, value]`", ""),
        ("male = \"M\"", "male = [\"M\", \"f\"]", 29, "`levels` maps `f` twice; case does not matter", ""),
        ("male = \"M\"", "male = []", 29, "level `male` names no text", ""),
        ("range = [1, 4]", "range = [1, 4]\nabsent = 0", 46, "`absent` 0 lies outside the range", ""),
        ("unit = \"years\"", "levels = { old = \"*\" }", 24, "`levels` has no meaning for kind `continuous`", "value_map"),
        ("levels = {", "range = [0, 1]\nlevels = {", 29, "`range` has no meaning for kind `categorical`", "levels"),
        ("resolution = 1", "aggregate = \"avg\"", 37, "unknown aggregate `avg`; allowed are `first`, `last`, `min`, `max`, `mean`, `median`, `std`, `sum`, `count`, `slope`, `time-since-last`", ""),
        ("range = [1, 4]", "range = [1, 4]\naggregate = \"sum\"", 46, "`sum` has no meaning for kind `ordinal`", "allowed are `first`"),
        ("unit = \"years\"", "aggregate = \"mean\"", 24, "`aggregate` has no meaning: variable `age` is one fact, not measurements", ""),
        // sources and units
        ("sources = [{ table = \"CHART\", items = [4] }]\n", "", 43, "variable `eye` needs `sources`", ""),
        ("[{ table = \"CHART\", items = [4] }]", "[]", 47, "variable `eye` has no sources", ""),
        ("items = [4]", "items = []", 47, "a source of variable `eye` lists no items", ""),
        ("items = [4]", "items = [\"GCS\"]", 47, "`items` must be item numbers, as the column is integer, found a text", ""),
        ("items = [3]", "items = [2]", 40, "item `2` of table `CHART` is listed twice; it would count twice", ""),
        ("items = [4]", "column = \"N\"", 47, "table `CHART` holds events, not facts", "`items`"),
        ("birth = \"BORN\"", "items = [9]", 25, "table `PEOPLE` holds facts, not events", "`column`"),
        ("birth = \"BORN\"", "birth = \"BORN\", column = \"SEX\"", 25, "a source of variable `age` needs exactly one of `items`, `column` and `birth`", "measurements"),
        ("birth = \"BORN\"", "birth = \"SEX\"", 25, "column `SEX` is `text`, a date of birth is `datetime`", ""),
        ("birth = \"BORN\"", "column = \"SEX\"", 25, "column `SEX` is text, but the variable is continuous", "categorical"),
        ("scale = 60", "scale = 0", 40, "`scale` must not be 0", ""),
        ("scale = 60", "scale = 60, rule = \"mixed-fraction\"", 40, "`scale` has no effect beside `rule`", ""),
        ("scale = 60", "rule = \"mixed\"", 40, "unknown rule `mixed`; allowed are `mixed-fraction`, `not-convertible`", ""),
        ("units = [\"bpm\"]", "units = [\"bpm\", \"B P M\"]", 39, "unit `B P M` is listed twice; case and spaces do not matter", ""),
        ("resolution = 1", "conversions = [{ unit = \"Hz\", scale = 60 }, { unit = \"hz\" }]", 37, "unit `hz` is converted twice; case and spaces do not matter", ""),
        ("resolution = 1", "conversions = [{ unit = \"BPM\", scale = 2 }]", 37, "unit `BPM` is converted, but a source lists it in `units` too", "one of the two"),
        (", unit = \"U\" }", " }", 39, "`units` needs the `unit` of table `CHART`, which is not declared", "`events`"),
        (" text = \"X\",", "", 47, "`value_map` needs the `text` of table `CHART`, which is not declared", "`events`"),
    ];
    check_cases(WARD, |text| parse_schema("ward.toml", text), cases);
}

#[test]
fn each_mistake_in_a_pipeline_is_one_problem_in_its_line() {
    #[rustfmt::skip] // one case per line reads as the table it is
    let cases: &[Case] = &[
        ("schema = \"ward\"", "schema = \"wart\"", 2, "there is no schema `wart`, neither built in nor as a file", "built in are ward"),
        ("schema = \"ward\"", "schema = \"ward\"\nwide = {}", 3, "a pipeline names a `schema` or describes a `wide` table, not both", ""),
        ("min_observed = 0.1", "min_observd = 0.1", 3, "unknown key `min_observd` in the pipeline", "did you mean `min_observed`?"),
        ("min_observed = 0.1", "min_observed = 10", 3, "`min_observed` is a share from 0 to 1, found 10", ""),
        ("min_observed = 0.1", "transform = \"zscore\"", 3, "unknown transform `zscore`; allowed are `normal-score`, `standardize`, `robust`, `log-standardize`, `none`", ""),
        ("min_observed = 0.1", "dequantize = 1", 3, "`dequantize` must be true or false, found a whole number", ""),
        ("min_observed = 0.1", "seed = -3", 3, "`seed` must be a whole number, 0 or more, found another", ""),
        // features
        ("\"pulse:max\"", "\"puls:max\"", 6, "schema `ward` has no variable `puls`", "did you mean `pulse`?"),
        ("\"pulse:max\"", "\"blood_pressure\"", 6, "schema `ward` has no variable `blood_pressure`", "allowed are"),
        ("\"pulse:max\"", "\"pulse:maximum\"", 6, "unknown aggregation `maximum`; allowed are `first`, `last`, `min`, `max`, `mean`, `median`, `std`, `sum`, `count`, `slope`, `time-since-last`", ""),
        ("\"pulse:max\"", "\"pulse\"", 6, "there are two features `pulse`", ""),
        ("\"pulse:max\"", "\"pulse:mean\"", 6, "feature `pulse_mean` would equal feature `pulse`", "aggregated by `mean`"),
        ("\"pulse:max\"", "\"eye:sum\"", 6, "`sum` has no meaning for kind `ordinal`", "allowed are"),
        ("\"pulse:max\"", "7", 6, "`features` must be a text like \"heart_rate:max\" or a table, found a whole number", ""),
        ("\"sex\"", "\"sex:mean\"", 5, "`sex` is one fact, not measurements; it takes no aggregation", ""),
        ("worst_eye", "split", 7, "feature name `split` is taken by a column of every result", ""),
        ("name = \"worst_eye\"", "nam = \"worst_eye\"", 7, "unknown key `nam` in a feature", "did you mean `name`?"),
        // rules
        ("column = \"age\"", "column = \"agee\"", 10, "unknown column `agee`: neither a fact of schema `ward` nor a column of its records", "did you mean `age`?"),
        ("column = \"age\"", "column = \"pulse\"", 10, "`pulse` is measured many times; a rule tests one fact of the record", "min_features"),
        ("column = \"age\"", "column = \"sex\"", 10, "`sex` holds text, which has no bounds", "one_of"),
        ("column = \"age\", ", "", 10, "a rule needs `column`", ""),
        ("min = 18", "min = 18, max = 3", 10, "`min` must not be above `max`, found 18 and 3", ""),
        ("min = 18", "one_of = []", 10, "the list of values is empty", ""),
        ("min = 18", "first_per_subject = true, min = 18", 10, "a rule tests exactly one thing", "min_features"),
        ("first_per_subject = true", "first_per_subject = false", 11, "`first_per_subject` is true, or the rule is left out", ""),
        ("first_per_subject = true", "first_per_subject = true, column = \"age\"", 11, "`column` has no effect in this rule", ""),
        ("first_per_subject = true", "min_features = 6", 11, "no record can have 6 features, there are 5", ""),
        ("first stay", "adults", 11, "there are two rules `adults`", ""),
        ("column = \"UNIT\", one_of = [\"surgery\"]", "column = \"sex\", one_of = [\"femal\"]", 12, "`sex` has no level `femal`", "did you mean `female`?"),
        // window and split
        ("end = 24", "end = 0", 17, "the window must end after it starts, found 0 to 0 hours", ""),
        ("end = 24", "end = inf", 17, "`end` must be a finite number", ""),
        ("end = 24\n", "", 15, "the window needs `end`", ""),
        ("train = 0.6", "train = 0.5", 19, "the shares of the split must sum to 1, found 0.9", "splits not named are 0"),
        ("train = 0.6", "train = -0.6", 20, "share `train` must lie between 0 and 1, found -0.6", ""),
        ("train = 0.6\nvalidation = 0.1", "validation = 0.7", 19, "share `train` is 0; there is nothing to fit on", ""),
        ("train = 0.6", "training = 0.6\ntrain = 0.6", 20, "unknown key `training` in the split", "did you mean `train`?"),
    ];
    check_cases(ROUNDS, pipeline_of, cases);
    #[rustfmt::skip] // one case per line reads as the table it is
    let cases: &[Case] = &[
        ("[wide]", "features = [\"a\"]\n[wide]", 2, "a wide table brings its own columns, so no `features` are named", "ignore"),
        ("[wide]", "window = { end = 24 }\n[wide]", 2, "a wide table has no times, so no `window` either", ""),
        ("\"note\"", "\"note\", \"stage\"", 5, "column `stage` has two roles", ""),
        ("\"ordinal\"", "\"level\"", 5, "unknown kind `level`; allowed are `continuous`, `count`, `ordinal`, `binary`, `categorical`", ""),
        ("[wide]", "[wide]\nquote = \";\"", 3, "unknown key `quote` in the wide table", "allowed are"),
        ("[wide]", "[wide]\nseparator = \"ab\"", 3, "`separator` is one character or comma, semicolon, tab, pipe or space, found `ab`", ""),
        ("[wide]", "[wide]\ndecimal = \"dot\"", 3, "unknown decimal mark `dot`; allowed are `point`, `comma`", ""),
    ];
    check_cases(TABLE, pipeline_of, cases);
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
    assert_eq!((pulse.kind, pulse.aggregate), (Kind::Continuous, crate::schema::Aggregation::Mean));
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
    let crate::schema::Source::Age { table, .. } = &schema.variable("age").unwrap().sources[0] else {
        panic!("an age")
    };
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

[variables.nested]
expression = \"unlike + sex\"
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
        "`unlike` is derived itself; expressions name measured variables and facts",
        "`sex` is categorical, there is no computing with it",
    ] {
        assert!(messages.contains(&expected), "{expected}: {found:#?}");
    }
    assert!(messages.iter().any(|m| m.starts_with("`at` names a measured variable")), "{found:#?}");
    assert_eq!(messages.len(), 7, "{found:#?}");
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
