//! Colours that follow the reader's theme, and markup that is small and accessible.
//!
//! Plotters writes fixed colours into attributes. We draw with colours nobody would choose, one per role, and
//! replace them by CSS variables afterwards, so that one drawing serves light, dark and print.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// What a colour means. The variables are defined in `reports/style.css`, from the Okabe–Ito palette, which
/// readers with any of the common colour vision deficiencies can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ink {
    /// Words.
    Text,
    /// Tick labels, secondary words.
    Muted,
    /// Grid lines and frames.
    Grid,
    /// Inside of boxes.
    Surface,
    /// Data; also training, and flows where families are told apart.
    Data,
    /// Samples; also validation, and mixtures.
    Model,
    /// Reference lines and bands.
    Reference,
    /// Positive correlation.
    Positive,
    /// Negative correlation.
    Negative,
}

const VARIABLES: [&str; 9] =
    ["text", "muted", "grid", "surface", "data", "model", "reference", "positive", "negative"];

impl Ink {
    /// The placeholder to draw with.
    pub(crate) fn color(self) -> RGBColor {
        RGBColor(1, 2, self as u8)
    }
}

/// Escapes for attributes and text.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML and HTML forbid other control characters even escaped.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// How every finished drawing begins; no text of a user can contain it.
const OPENING: &str = "<svg role=\"img\" aria-labelledby=\"t d\"";

/// Numbers the drawings of a page, so that the names of each have ids of their own.
pub(crate) fn number_drawings(page: &str) -> String {
    let mut out = String::with_capacity(page.len() + 4096);
    for (k, part) in page.split(OPENING).enumerate() {
        if k == 0 {
            out.push_str(part);
            continue;
        }
        let _ = write!(out, "<svg role=\"img\" aria-labelledby=\"t{k} d{k}\"");
        let part = part.replacen("<title id=\"t\">", &format!("<title id=\"t{k}\">"), 1);
        out.push_str(&part.replacen("<desc id=\"d\">", &format!("<desc id=\"d{k}\">"), 1));
    }
    out
}

/// Where in the drawing each row of the figure's table is: boxes x₀ y₀ x₁ y₁ in the drawing's own units. The
/// page's script shows the row to a pointer there.
pub(crate) fn with_rows(svg: &str, boxes: &[[i32; 4]]) -> String {
    let mut places = String::with_capacity(boxes.len() * 20);
    for (i, b) in boxes.iter().enumerate() {
        let (x, y) = ((b[0].min(b[2]), b[0].max(b[2])), (b[1].min(b[3]), b[1].max(b[3])));
        let _ = write!(places, "{}{} {} {} {}", if i > 0 { ";" } else { "" }, x.0, y.0, x.1, y.1);
    }
    svg.replacen(OPENING, &format!("{OPENING} data-hot=\"{places}\""), 1)
}

/// As [`with_rows`] for a square map: its left and top edge and the size of its cells.
pub(crate) fn with_cells(svg: &str, left: i32, top: i32, cell: i32) -> String {
    svg.replacen(OPENING, &format!("{OPENING} data-grid=\"{left} {top} {cell}\""), 1)
}

/// Gives the drawing its accessible name and its theme, and leaves out what is default.
pub(crate) fn finish(
    drawing: &str,
    (width, height): (u32, u32),
    scale: u32,
    title: &str,
    description: &str,
) -> String {
    let mut out = String::with_capacity(drawing.len());
    let (title, description) = (escape(title), escape(description));
    let _ = write!(
        out,
        "{OPENING} width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\">\
         <title id=\"t\">{title}</title><desc id=\"d\">{description}</desc>",
        width * scale,
        height * scale
    );
    // The first tag is plotters' own <svg>, replaced above.
    let body = drawing.split_once('>').map_or("", |(_, rest)| rest);
    let mut rest = body.trim_start();
    while let Some(start) = rest.find('<') {
        push_words(&mut out, &rest[..start]);
        let tag = &rest[start..];
        // Attribute values are escaped by plotters, so the next '>' ends the tag.
        let end = tag.find('>').map_or(tag.len(), |i| i + 1);
        push_tag(&mut out, &tag[..end]);
        rest = &tag[end..];
    }
    push_words(&mut out, rest);
    out
}

/// Text between tags: plotters ends every tag and every label with a line break.
fn push_words(out: &mut String, words: &str) {
    let words = words.trim_matches('\n');
    out.extend(words.chars().map(|c| if c.is_control() { ' ' } else { c }));
}

fn push_tag(out: &mut String, tag: &str) {
    let mut parts = tag.split('"');
    let Some(head) = parts.next() else { return };
    // `head` is `<name key=` or, without attributes, the whole tag.
    let (name, mut key) = head.split_once(' ').unwrap_or((head, ""));
    out.push_str(name);
    while let Some(value) = parts.next() {
        let attribute = key.trim().trim_end_matches('=');
        push_attribute(out, attribute, value);
        match parts.next() {
            Some(next) if next.trim_start().starts_with(['/', '>']) => {
                out.push_str(next.trim_start());
                return;
            }
            Some(next) => key = next,
            None => return,
        }
    }
}

fn push_attribute(out: &mut String, attribute: &str, value: &str) {
    let default = matches!((attribute, value), ("opacity" | "stroke-width", "1") | ("stroke", "none"));
    if default || attribute == "font-family" {
        return;
    }
    let _ = match (attribute, placeholder(value)) {
        (_, Some(variable)) => write!(out, " {attribute}=\"var(--{variable})\""),
        // Plotters divides sizes and leaves fifteen decimals.
        ("font-size" | "opacity", _) => match value.parse::<f64>() {
            Ok(v) => write!(out, " {attribute}=\"{}\"", (v * 100.0).round() / 100.0),
            Err(_) => write!(out, " {attribute}=\"{value}\""),
        },
        ("points", _) => write!(out, " points=\"{}\"", value.trim_end()),
        _ => write!(out, " {attribute}=\"{value}\""),
    };
}

fn placeholder(value: &str) -> Option<&'static str> {
    let index = usize::from_str_radix(value.strip_prefix("#0102")?, 16).ok()?;
    VARIABLES.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_numbered_and_carry_their_rows() {
        let svg = finish("<svg a=\"b\"></svg>", (1, 1), 1, "x", "y");
        let page = number_drawings(&format!("{}|{}", with_rows(&svg, &[[9, 8, 1, 2], [0, 0, 1, 1]]), svg));
        assert!(page.contains("aria-labelledby=\"t1 d1\" data-hot=\"1 2 9 8;0 0 1 1\""), "{page}");
        assert!(page.contains("<title id=\"t2\">x</title><desc id=\"d2\">y</desc>"), "{page}");
    }

    #[test]
    fn every_ink_has_its_variable() {
        for (ink, name) in [(Ink::Text, "text"), (Ink::Reference, "reference"), (Ink::Negative, "negative")] {
            let RGBColor(r, g, b) = ink.color();
            assert_eq!(placeholder(&format!("#{r:02X}{g:02X}{b:02X}")), Some(name));
        }
        assert_eq!(Ink::Negative as usize + 1, VARIABLES.len());
    }

    #[test]
    fn markup_is_themed_named_and_small() {
        let drawing = "<svg width=\"9\" height=\"9\" viewBox=\"0 0 9 9\" \
                       xmlns=\"http://www.w3.org/2000/svg\">\n<rect x=\"1\" opacity=\"1\" fill=\"#010204\" \
                       stroke=\"none\"/>\n<text x=\"1\" font-family=\"sans-serif\" \
                       font-size=\"12.000000000000002\" \
                       fill=\"#010200\">\nfill=&quot;#010204&quot;\n</text>\n</svg>\n";
        assert_eq!(
            finish(drawing, (9, 9), 2, "a <b>", "\"c\""),
            "<svg role=\"img\" aria-labelledby=\"t d\" width=\"9\" height=\"9\" viewBox=\"0 0 18 18\"><title \
             id=\"t\">a &lt;b&gt;</title><desc id=\"d\">&quot;c&quot;</desc><rect x=\"1\" \
             fill=\"var(--data)\"/><text x=\"1\" font-size=\"12\" \
             fill=\"var(--text)\">fill=&quot;#010204&quot;</text></svg>"
        );
    }
}
