//! XML of stores, and pages of lists: tables, and every mutation of a byte.

use release_server::s3::list::Page;
use release_server::s3::xml::Element;
use std::time::{Duration, UNIX_EPOCH};

const PAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>packages</Name>\
    <Prefix>team/</Prefix><KeyCount>3</KeyCount><IsTruncated>true</IsTruncated>\
    <NextContinuationToken>1/a&amp;b==</NextContinuationToken>\
    <Contents><Key>team/</Key><LastModified>2026-01-06T12:00:00.000Z</LastModified>\
    <ETag>&quot;d4&quot;</ETag><Size>0</Size></Contents>\
    <Contents><Key>team/a &lt;b&gt; &#xfc;&#252;.zip</Key>\
    <LastModified>2026-01-06T12:00:00.123Z</LastModified><ETag>&#34;abc&#34;</ETag>\
    <Size>123456789012</Size><Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass>\
    </Contents><!-- > --><Contents><Key><![CDATA[team/<&>]]></Key>\
    <LastModified>2026-01-06T12:00:00Z</LastModified><ETag>\"e\"</ETag><Size>1</Size></Contents>\
    <CommonPrefixes><Prefix>team/.release-server/</Prefix></CommonPrefixes></ListBucketResult>\n";

#[test]
fn a_page_is_read_with_its_entities_and_times() {
    let page = Page::parse(PAGE.as_bytes(), "team/").unwrap();
    assert_eq!(page.continuation.as_deref(), Some("1/a&b=="));
    let keys: Vec<&str> = page
        .objects
        .iter()
        .map(|object| object.key.as_str())
        .collect();
    assert_eq!(keys, ["a <b> üü.zip", "<&>"]);
    let first = &page.objects[0];
    assert_eq!(
        (first.size, first.etag.as_str()),
        (123_456_789_012, "\"abc\"")
    );
    let since = first.modified.duration_since(UNIX_EPOCH).unwrap();
    assert_eq!(since, Duration::from_millis(1_767_700_800_123));
}

#[test]
fn what_is_not_a_page_of_this_list_is_refused() {
    let truncated_without_token = PAGE.replace("1/a&amp;b==", "");
    let wrong_size = PAGE.replace("123456789012", "-1");
    let other_root = PAGE.replace("ListBucketResult", "Error");
    for text in [
        "",
        "<a/>",
        "hello",
        &truncated_without_token,
        &wrong_size,
        &other_root,
    ] {
        assert_eq!(Page::parse(text.as_bytes(), "team/"), None, "{text}");
    }
    assert_eq!(Page::parse(PAGE.as_bytes(), "other/"), None);
    assert!(
        Page::parse(
            b"<x:ListBucketResult><x:IsTruncated>false</x:IsTruncated>\
                          </x:ListBucketResult>",
            ""
        )
        .unwrap()
        .objects
        .is_empty()
    );
}

#[test]
fn malformed_documents_are_refused() {
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    for text in [
        "<a>",
        "</a>",
        "<a></b>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a>&unknown;</a>",
        "<a>&amp</a>",
        "<a>&#xd800;</a>",
        "<a>&#x;</a>",
        "<a/>text",
        "<",
        "<>",
        "<a",
        "<!--",
        "<![CDATA[",
        &deep,
    ] {
        assert_eq!(Element::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn no_mutation_of_a_page_panics() {
    for at in 0..PAGE.len() {
        let _ = Element::parse(&PAGE.as_bytes()[..at]);
        for byte in [b'<', b'>', b'&', b';', b'/', b'!', b'"', 0, 0xff] {
            let mut changed = PAGE.as_bytes().to_vec();
            changed[at] = byte;
            let _ = Page::parse(&changed, "team/");
        }
    }
}
