use super::*;

fn parse(text: &str) -> Result<Header, WaveformError> {
    Header::parse(Path::new("r.hea"), text)
}

#[test]
fn every_field_of_a_signal_is_read() {
    let header = parse(
        "# before\nr 2 125/1(3) 75000 17:27:45 15/08/1994\n\
         r.dat 212x4:3+12 12.84(-1605)/mmHg 12 -4 -943 41885 0 ABP (left arm)\nr.dat 80\n# after\n",
    )
    .unwrap();
    assert_eq!((header.frequency, header.n_frames), (125.0, Some(75000)));
    assert_eq!(header.comments, ["before", "after"]);
    let s = &header.signals[0];
    assert_eq!((s.format, s.samples_per_frame, s.skew, s.offset), (Format::Packed212, 4, 3, 12));
    assert_eq!((s.gain, s.baseline, s.units.as_str()), (12.84, -1605, "mmHg"));
    assert_eq!((s.initial_value, s.checksum, s.name.as_str()), (Some(-943), Some(-23651), "ABP (left arm)"));
    let d = &header.signals[1];
    assert_eq!((d.gain, d.baseline, d.units.as_str(), d.name.as_str()), (200.0, 0, "mV", "signal 2"));
    assert_eq!((d.samples_per_frame, d.initial_value, d.checksum), (1, None, None));
}

#[test]
fn the_baseline_defaults_to_the_zero_of_the_converter() {
    assert_eq!(parse("r 1 125 9\nr.dat 16 100/mV 12 7").unwrap().signals[0].baseline, 7);
}

#[test]
fn segments_and_gaps_are_read() {
    let header = parse("r/3 2 125 30\nr_layout 0\n~ 10\nr_0001 20\n").unwrap();
    assert!(header.is_multi_segment());
    let names: Vec<_> = header.segments.iter().map(|s| (s.name.as_deref(), s.n_frames)).collect();
    assert_eq!(names, [(Some("r_layout"), 0), (None, 10), (Some("r_0001"), 20)]);
}

#[test]
fn headers_that_depart_from_the_specification_are_read_where_their_meaning_is_plain() {
    // A folder before the name, also where the record is called by a number.
    let named = |path: &str, text: &str| Header::parse(Path::new(path), text).unwrap();
    assert_eq!(named("s1.hea", "folder/s1 1 125 9\nr.dat 16 200/mV").name, "s1");
    let numbered = named("100.hea", "folder/100 1 125 9\nr.dat 16 200/mV 12");
    assert_eq!((numbered.name.as_str(), numbered.signals.len()), ("100", 1));
    let segments = named("m.hea", "folder/m/2 1 125 9\na 4\nb 5");
    assert_eq!((segments.name.as_str(), segments.segments.len()), ("m", 2));
    // Lines that end in carriage returns, a byte order mark.
    assert_eq!(parse("\u{feff}r 1 125 9\rr.dat 16 200/mV\r").unwrap().signals.len(), 1);
    assert_eq!(parse("r 1 125 9\r\nr.dat 16 100(3.0)/uV 12 0.0\r\n").unwrap().signals[0].baseline, 3);
    // A miscounted list is complete where it adds up to the record, and only there.
    let short = parse("r/3 1 125 9\na 4\nb 5").unwrap();
    assert_eq!((short.segments.len(), short.notes.len()), (2, 1));
    assert!(parse("r/3 1 125 12\na 4\nb 5").is_err() && parse("r/3 1 125\na 4\nb 5").is_err());
    // Sums that are all 0 are not stated; one that is not makes the others true.
    let sums = |a: i32, b: i32| {
        let text = format!("r 2 125 9\nr.dat 16 1/mV 16 0 5 {a} 0 A\nr.dat 16 1/mV 16 0 6 {b} 0 B");
        let header = parse(&text).unwrap();
        (header.signals[0].checksum, header.signals[0].initial_value, header.notes.len())
    };
    assert_eq!((sums(0, 0), sums(0, 7)), ((None, Some(5), 1), (Some(0), Some(5), 0)));
    // A gain of 0 is none.
    let gains = parse("r 2 125 9\nr.dat 16 0/mmHg\nr.dat 16 10/mmHg").unwrap();
    assert_eq!(gains.signals.iter().map(|s| s.calibrated).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn segments_of_a_damaged_list_are_known() {
    let of = |text: &str| Header::listed_segments(Path::new("m.hea"), text);
    assert_eq!(of("m/5 1 125 9\r\n# comment\r\na 4\r\n~ 2\r\nb x"), ["a", "b"]);
    assert_eq!(of("m/2 1 125 9\na 4\nb 5"), ["a", "b"]);
    assert!(of("m 1 125 9\nm.dat 77").is_empty());
}

#[test]
fn wrong_headers_name_file_line_and_fault() {
    for (text, expected) in [
        ("", "r.hea:1: the header holds no record line"),
        ("r", "r.hea:1: the number of signals is missing"),
        ("r x", "r.hea:1: the number of signals must be a number, found `x`"),
        ("r 2 125 9\nr.dat 16", "r.hea:1: 2 signals are announced, found 1 lines"),
        ("r 1 0 9\nr.dat 16", "r.hea:1: the sampling frequency must be above 0, found `0`"),
        ("r 1 125 9\nr.dat 77", "r.hea:2: signal format 77 is unknown"),
        ("r 1 125 9\nr.dat", "r.hea:2: the signal format is missing"),
        ("r 1 125 9\n../x.dat 16", "r.hea:2: `../x.dat` lies outside the folder of the header"),
        ("r 1 125 9\nr.dat 16x0", "r.hea:2: samples per frame must be from 1 to 1048576, found 0"),
        ("r 1 125 9\nr.dat 16 nan/mV", "r.hea:2: the gain must be a finite number, found `NaN`"),
        ("r/1 1 125 9\n/etc/r 9", "r.hea:2: `/etc/r` lies outside the folder of the header"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
    }
}
