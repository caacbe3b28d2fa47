//! XML of object stores: what is read is bounded, and is read again as it was from another writer's
//! text; keys of a list are those that were written.
//!
//! Source: XML 1.0, sections 2 and 4.6; Amazon S3 API Reference, `ListObjectsV2`.

use release_server::s3::list::Page;
use release_server::s3::xml::Element;

/// Levels that the reader takes.
const DEPTH_MAX: usize = 16;

/// Every property of documents and lists. The input is a document, and keys of a list, one a line.
pub fn check(input: &[u8]) {
    if let Some(root) = Element::parse(input) {
        let pieces = input.split(|byte| *byte == b'<').count();
        assert!(count(&root) < pieces, "{root:?}");
        assert!(depth(&root) <= DEPTH_MAX, "{root:?}");
        if is_writable(&root) {
            let mut written = String::new();
            write(&root, &mut written);
            assert_eq!(
                Element::parse(written.as_bytes()),
                Some(root),
                "{written:?}"
            );
        }
    }
    Page::parse(input, "");
    check_list(&String::from_utf8_lossy(input));
}

fn count(element: &Element) -> usize {
    1 + element.children.iter().map(count).sum::<usize>()
}

fn depth(element: &Element) -> usize {
    1 + element.children.iter().map(depth).max().unwrap_or(0)
}

/// Whether every name can be written: the reader takes names that XML does not have.
fn is_writable(element: &Element) -> bool {
    let name = &element.name;
    let is_name = name.starts_with(char::is_alphabetic) && name.chars().all(char::is_alphanumeric);
    is_name && element.children.iter().all(is_writable)
}

fn escape(text: &str) -> String {
    let escape = |character| match character {
        '<' => "&lt;".to_owned(),
        '>' => "&#62;".to_owned(),
        '&' => "&#x26;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escape).collect()
}

fn write(element: &Element, out: &mut String) {
    let (name, text) = (&element.name, escape(&element.text));
    out.extend(["<", name, ">", &text]);
    for child in &element.children {
        write(child, out);
    }
    out.extend(["</", name, ">"]);
}

fn check_list(text: &str) {
    let keys: Vec<&str> = text.lines().filter(|key| !key.is_empty()).collect();
    let contents = keys.iter().map(|key| {
        let key = escape(key);
        format!(
            "<Contents><Key>p/{key}</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified>\
             <ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>"
        )
    });
    let contents: String = contents.collect();
    let list = format!(
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated>{contents}\
         </ListBucketResult>"
    );
    let page = Page::parse(list.as_bytes(), "p/").expect("a list");
    let read: Vec<&str> = page
        .objects
        .iter()
        .map(|object| object.key.as_str())
        .collect();
    assert_eq!(read, keys);
}
