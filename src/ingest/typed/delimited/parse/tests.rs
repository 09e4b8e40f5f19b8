use super::*;
use crate::schema::DType;

fn wanted() -> Vec<Wanted> {
    let column = |name: &str, dtype| Wanted { name: name.into(), others: Vec::new(), dtype, is_code: false };
    vec![
        column("item", DType::Integer),
        column("time", DType::Datetime),
        column("value", DType::Float),
        column("text", DType::Text),
    ]
}

fn parsed(text: &str, skip_bad: bool) -> Result<Parsed, BadRow> {
    let items = ItemSet::Numbers([7].into_iter().collect());
    let wanted = wanted();
    let layout = Layout {
        fields: 5,
        wanted: &wanted,
        positions: &[1, 0, 3, 4],
        filter: Some((0, &items)),
        skip_bad,
        separator: b',',
        in_name: b"",
    };
    parse(text.as_bytes(), true, layout)
}

#[test]
fn only_rows_of_wanted_items_are_parsed() {
    let block = "T,I,x,V,S\n\
        1970-01-02 00:00:00,7,,1.5,\"a,\"\"b\"\"\"\n\
        not a time,8,,not a number,\n\
        ,7.0,,,\n\
        1970-01-01,,,2,x\n";
    let parsed = parsed(block, false).unwrap();
    assert_eq!((parsed.rows, parsed.skipped), (4, 0));
    let columns = parsed.columns;
    assert!(columns.iter().all(|c| c.len() == 2));
    assert_eq!(columns[1].datetime(0).unwrap(), Some(86_400));
    assert_eq!((columns[2].number(0), columns[3].text(0)), (Some(1.5), Some("a,\"b\"")));
    assert_eq!(
        (columns[1].datetime(1).unwrap(), columns[2].number(1), columns[3].text(1)),
        (None, None, None)
    );
}

#[test]
fn quotes_lone_quotes_and_line_ends_of_any_kind_are_read_as_the_csv_crate_reads_them() {
    let rows = [
        "1970-01-01,7,,1,plain",
        "\"1970-01-01\",7,,2,\"two\nlines, one cell\"",
        "1970-01-01,8,,3,\"other, item\"",
        "1970-01-01,\"7\",,4,5\" tube",
        "1970-01-01,7,,5,\"\"\"quoted\"\"\"",
        "",
        "1970-01-01,8,,6,",
        "1970-01-01,7,,7,",
    ];
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let block = format!("T,I,x,V,S{end}{}{last}", rows.join(end));
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(block.as_bytes());
            let expected: Vec<(f64, String)> = reader
                .records()
                .map(Result::unwrap)
                .filter(|r| &r[1] == "7")
                .map(|r| (r[3].parse().unwrap(), r[4].to_owned()))
                .collect();
            let parsed = parsed(&block, false).unwrap();
            assert_eq!((parsed.rows, expected.len()), (7, 5));
            for (row, (value, text)) in expected.iter().enumerate() {
                assert_eq!(parsed.columns[2].number(row), Some(*value));
                assert_eq!(parsed.columns[3].text(row).unwrap_or_default(), text);
            }
        }
    }
}

#[test]
fn separators_are_found_wherever_they_stand() {
    for length in 0..40 {
        let line: Vec<u8> = (0..length).map(|i| if i * i % 7 < 3 { b',' } else { 0x80 | i }).collect();
        let mut places = Vec::new();
        places_of(b',', &line, &mut places);
        assert_eq!(places, memchr::memchr_iter(b',', &line).collect::<Vec<_>>(), "{length}");
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let block =
        "T,I,x,V,S\r\n1970-01-01,7,,1,\"a\nb\r\nc\"\r\n\r\n1970-01-01,8,,1,\"\n\"\n1970-01-01,7,,much,x";
    assert_eq!(parsed(block, false).unwrap_err(), BadRow { line: 7, fault: Fault::Cell(2) });
    let skipped = parsed(block, true).unwrap();
    assert_eq!((skipped.rows, skipped.skipped, skipped.lines), (3, 1, 8));
    assert_eq!(skipped.columns[3].text(0), Some("a\nb\r\nc"));
}

#[test]
fn a_carriage_return_within_quotes_ends_no_row() {
    let block = "T,I,x,V,S\n1970-01-01,7,,2,\"b\rpm\"\r\n1970-01-01,7,\"\",3,\"b\rpm\"\n";
    let parsed = parsed(block, false).unwrap();
    assert_eq!(parsed.rows, 2);
    for row in 0..2 {
        assert_eq!(parsed.columns[3].text(row), Some("b\rpm"), "{row}");
    }
}

#[test]
fn malformed_rows_are_named_or_counted() {
    for (row, fault) in [
        ("1970-01-01,7,,1", Fault::Fields(4)),
        ("1970-01-01,8,,1,x,y", Fault::Fields(6)),
        ("1970-01-01,8,1,\"x,y\"", Fault::Fields(4)),
        ("1970-01-01,seven,,1,x", Fault::Cell(0)),
        ("yesterday,7,,1,x", Fault::Cell(1)),
        ("1970-01-01,7,,much,x", Fault::Cell(2)),
    ] {
        let block = format!("T,I,x,V,S\n1970-01-01,7,,1,x\n{row}\n1970-01-01,7,,3,z\n");
        assert_eq!(parsed(&block, false).unwrap_err(), BadRow { line: 2, fault }, "{row}");
        let skipped = parsed(&block, true).unwrap();
        assert_eq!((skipped.rows, skipped.skipped), (3, 1));
        let values: Vec<_> = (0..2).map(|i| skipped.columns[2].number(i)).collect();
        assert_eq!(values, [Some(1.0), Some(3.0)], "{row}");
        assert!(skipped.columns.iter().all(|c| c.len() == 2), "{row}");
    }
}
