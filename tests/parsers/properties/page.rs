//! Pages: a strict reader finds only tags of the templates, and every name as text and as a link.
//!
//! Sources: the WHATWG HTML standard, sections 13.1.2 (elements) and 13.3 (escaping); the
//! invariants of `app::views`.

use super::listing::of_names;
use percent_encoding::percent_decode_str;
use release_server::app::negotiate::Selection;
use release_server::app::packages_page::Shown;
use release_server::app::views;
use release_server::config::LatestBy;
use std::fmt::Write;

/// Elements whose content is not markup.
const RAW: [&str; 2] = ["script", "style"];
const VOID: [&str; 3] = ["meta", "link", "input"];
/// Characters that turn the direction of text; pages write them as code points.
const DIRECTION: [char; 12] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// A start tag with its attributes, and the text that follows it.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

/// Every property of pages. Each line is a package's name, and all of it the sentence of an error.
pub fn check(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let listing = of_names(text.lines());
    let selection = Selection {
        page: None,
        words: "".into(),
    };
    let packages: Vec<_> = listing.packages().iter().collect();
    let shown_packages = Shown {
        packages: &packages,
        releases: listing.releases(),
        selection: &selection,
        total: packages.len(),
        latest_by: LatestBy::Time,
        count: &|_| 0,
    };
    let page = read(&shown_packages.render());
    for package in listing.packages() {
        let name = package.name.as_str();
        let link = page.iter().find(|element| {
            let text = element.text.trim_end();
            element.name == "a" && text == shown(name).trim_end()
        });
        let link = link.unwrap_or_else(|| panic!("the page has no link {name:?}"));
        let href = attribute(link, "href").expect("a link has a target");
        let path = percent_decode_str(href.strip_prefix("./assets/").expect("a relative path"));
        assert_eq!(path.decode_utf8().expect("UTF-8"), name);
    }
    let page = read(&views::error(404, "Not Found", text, Some(text)));
    let sentence = page.iter().find(|element| element.name == "p");
    assert_eq!(sentence.expect("a sentence").text, shown(text));
    let link = page.iter().find(|element| element.name == "a");
    assert_eq!(
        attribute(link.expect("a link"), "href"),
        Some(shown(text).as_str())
    );
}

/// A text as a page shows it.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if DIRECTION.contains(&character) {
            let _ = write!(shown, "[U+{:04X}]", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    let mut attributes = element.attributes.iter();
    let found = attributes.find(|(attribute, _)| attribute == name);
    found.map(|(_, value)| value.as_str())
}

/// The elements of a page, in the order of their start tags. Every tag is closed in its order,
/// every attribute is quoted, and no attribute is a script.
fn read(page: &str) -> Vec<Element> {
    let mut rest = page
        .strip_prefix("<!doctype html>")
        .expect("a document type");
    let (mut elements, mut open): (Vec<Element>, Vec<String>) = (Vec::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        let text = unescaped(&rest[..start]);
        if let Some(last) = elements.last_mut() {
            last.text.push_str(&text);
        }
        rest = &rest[start + 1..];
        if let Some(after) = rest.strip_prefix('/') {
            let (name, after) = after.split_once('>').expect("an end tag ends");
            assert_eq!(open.pop().as_deref(), Some(name), "{page}");
            rest = after;
            // The text after an element belongs to no element.
            let text = String::new();
            elements.push(Element {
                name: format!("/{name}"),
                attributes: Vec::new(),
                text,
            });
            continue;
        }
        let (element, after) = start_tag(rest);
        rest = after;
        if RAW.contains(&element.name.as_str()) {
            let end = format!("</{}>", element.name);
            rest = rest.split_once(&end).expect("a script or style ends").1;
        } else if !VOID.contains(&element.name.as_str()) {
            open.push(element.name.clone());
        }
        elements.push(element);
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{page}");
    let scripts = elements.iter().filter(|element| element.name == "script");
    assert!(scripts.count() <= 1, "{page}");
    elements
}

/// The start tag whose name begins the text, and what follows it.
fn start_tag(text: &str) -> (Element, &str) {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let end = text.find(|c| !is_name(c)).expect("a tag ends");
    let name = text[..end].to_owned();
    assert!(!name.is_empty(), "a bare '<' in {text:?}");
    let (mut attributes, mut rest) = (Vec::new(), &text[end..]);
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            return (
                Element {
                    name,
                    attributes,
                    text: String::new(),
                },
                after,
            );
        }
        let end = rest.find(|c| !is_name(c)).expect("an attribute ends");
        let attribute = &rest[..end];
        assert!(
            !attribute.is_empty() && !attribute.starts_with("on"),
            "{text:?}"
        );
        rest = &rest[end..];
        let value = match rest.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').expect("a closing quote");
                rest = after;
                unescaped(value)
            }
            None => String::new(),
        };
        attributes.push((attribute.to_owned(), value));
    }
}

/// Text without its character references, of which pages use five.
fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>']), "{text:?}");
    let mut parts = text.split('&');
    let mut unescaped = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reference, after) = part.split_once(';').expect("a character reference");
        unescaped.push(match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => panic!("an unknown character reference {other:?} in {text:?}"),
        });
        unescaped.push_str(after);
    }
    unescaped
}
