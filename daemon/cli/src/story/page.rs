//! A self-contained HTML page: style, headings, tables, and the escaping of all text.

use std::fmt::Write;

/// Light and dark by the reader's own setting; on paper always light.
const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--faint:#5d6670;--line:#d3d9e0;--soft:#f2f5f8;
--accent:#0b62c4;--warn:#a65200;--bad:#c01f2b;--good:#1a7f37}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--paper:#14181d;--faint:#98a3ae;--line:#39424c;--soft:#1d232a;
--accent:#6cb0ff;--warn:#f0a04b;--bad:#ff7b80;--good:#5fcf80}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1.5rem;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}
h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
p{margin:.5rem 0}.lead{font-size:1.1rem}.faint{color:var(--faint)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem 1rem;margin:1rem 0}
dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.88rem}
.wide{overflow-x:auto}
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--faint);font-weight:600;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}
.badge{display:inline-block;padding:.05rem .5rem;border-radius:.3rem;border:1px solid;font-size:.8rem;font-weight:600;
vertical-align:middle;text-transform:uppercase}
.critical,.high{color:var(--bad)}.medium{color:var(--warn)}.low,.info{color:var(--accent)}
svg{display:block;width:100%;height:auto;margin:.5rem 0}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .dim{fill:var(--faint)}
.grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--faint);stroke-width:1}
.curve{fill:none;stroke:var(--accent);stroke-width:2}.dot{fill:var(--accent)}.other{fill:var(--warn)}
.bound{stroke:var(--bad);stroke-width:1.2;stroke-dasharray:6 4}.event{stroke:var(--bad);stroke-width:1.2}
.bar{fill:var(--accent)}.quiet{stroke:var(--warn);stroke-width:3;opacity:.65}
.zone{fill:none;stroke:var(--bad);stroke-width:2}.area{fill:var(--bad);fill-opacity:.07;stroke:var(--bad);stroke-width:1.2}
.cover{fill:var(--accent);fill-opacity:.07;stroke:var(--accent);stroke-opacity:.5}
.mute{fill:none;stroke:var(--warn);stroke-dasharray:5 4}.rest{fill:none;stroke:var(--line)}
.ray{stroke:var(--accent);stroke-opacity:.18}.spot{fill:var(--accent);fill-opacity:.45}
.ellipse{fill:none;stroke:var(--good);stroke-opacity:.75}.path{fill:none;stroke:var(--good);stroke-width:2.5}
.end{fill:var(--good);stroke:var(--paper);stroke-width:1.5}.halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px}
@media screen and (max-width:40rem){body{padding:1rem}svg{min-width:38rem}.long thead{display:none}
.long tr{display:flex;flex-wrap:wrap;column-gap:.7rem;padding:.4rem 0;border-bottom:1px solid var(--line)}
.long td{border:0;padding:0;color:var(--faint)}.long td.t{flex:1 0 100%;color:var(--ink)}}
@media print{:root{--ink:#000;--paper:#fff;--faint:#444;--line:#bbb;--soft:#f4f4f4;--accent:#0b4a94;--warn:#8a4500;
--bad:#a01018;--good:#0f5f28}body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}
tr,svg,dl{break-inside:avoid}.wide{overflow:visible}thead{display:table-header-group}}
";

/// A column with a longer cell is text, which has a line of its own on a narrow screen.
const LONG_CELL: usize = 60;

/// A page that grows from top to bottom. What is written as text is escaped.
pub(super) struct Page {
    html: String,
}

/// A table's column: its head, and whether its cells are numbers.
pub(super) type Column = (&'static str, bool);

impl Page {
    pub(super) fn new(title: &str) -> Self {
        let title = escape(title);
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n"
        );
        Self { html }
    }

    /// Already escaped HTML or SVG.
    pub(super) fn raw(&mut self, html: &str) {
        self.html.push_str(html);
        self.html.push('\n');
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.raw(&format!("<h2>{}</h2>", escape(text)));
    }

    pub(super) fn paragraph(&mut self, class: &str, text: &str) {
        self.raw(&format!("<p class=\"{class}\">{}</p>", escape(text)));
    }

    pub(super) fn facts(&mut self, facts: &[(&str, String)]) {
        let rows: String = facts.iter().fold(String::new(), |mut rows, (name, value)| {
            let _ = write!(rows, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
            rows
        });
        self.raw(&format!("<dl>{rows}</dl>"));
    }

    pub(super) fn table(&mut self, columns: &[Column], rows: &[Vec<String>]) {
        let is_text = |index: usize| rows.iter().any(|row| row.get(index).is_some_and(|cell| cell.len() > LONG_CELL));
        let texts: Vec<bool> = (0..columns.len()).map(is_text).collect();
        let class = |number: bool, text: bool| match (number, text) {
            (true, _) => " class=\"n\"",
            (false, true) => " class=\"t\"",
            (false, false) => "",
        };
        let long = if texts.contains(&true) { " class=\"long\"" } else { "" };
        let mut html = format!("<div class=\"wide\"><table{long}><thead><tr>");
        for (head, number) in columns {
            let _ = write!(html, "<th{}>{}</th>", class(*number, false), escape(head));
        }
        html.push_str("</tr></thead><tbody>\n");
        for row in rows {
            html.push_str("<tr>");
            for ((cell, (_, number)), text) in row.iter().zip(columns).zip(&texts) {
                let _ = write!(html, "<td{}>{}</td>", class(*number, *text), escape(cell));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table></div>");
        self.raw(&html);
    }

    pub(super) fn finish(mut self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        self.raw(&format!("<p class=\"faint\">Made by vedette {version} from a recorded log.</p>\n</body>\n</html>"));
        self.html
    }
}

/// Text for HTML and SVG, also inside of attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            control if control.is_control() && control != '\n' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_name_says_becomes_markup() {
        let mut page = Page::new("<script>alert('x')</script>");
        page.heading("a & b");
        page.paragraph("lead", "\"<img src=x>\"\u{0}");
        page.facts(&[("<b>", "</dl>".to_owned())]);
        page.table(&[("<th>", false)], &[vec!["<td>".to_owned()]]);
        let html = page.finish();
        for markup in ["<script", "<img", "<b>", "<th><th>", "<td><td>", "\u{0}"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)") && html.contains("a &amp; b"));
    }
}
