//! Bodies composed of one text and the values of a client.

use release_server::http::template::{Composed, MARKS, Template, Values};
use std::sync::Arc;

fn values(texts: [&str; 3]) -> Values {
    texts.map(Into::into).into()
}

/// The body, taken in pieces of at most so many bytes.
fn body(template: &Arc<Template>, values: &Values, piece: usize) -> Vec<u8> {
    let mut composed = Composed::new(template, Arc::clone(values));
    let mut body = Vec::new();
    let mut scratch = vec![0; piece];
    while composed.left() > 0 {
        let next = composed.next(template, &mut scratch);
        let next = &next[..next.len().min(piece)];
        assert!(!next.is_empty());
        body.extend_from_slice(next);
        let length = next.len();
        composed.advance(template, length);
    }
    body
}

#[test]
fn a_body_is_the_text_with_its_values_however_it_is_cut() {
    let [one, two, three] = MARKS;
    let texts = [
        String::new(),
        "plain".to_owned(),
        one.to_owned(),
        format!("{one}{two}{three}{one}"),
        format!("a{one}b{two}c\x7f9d{three}{three}e\x7f"),
    ];
    for text in &texts {
        for given in [["", "", ""], ["x", "", "longer"], ["http://h/p", "yy", "z"]] {
            let values = values(given);
            let template = Arc::new(Template::new(text.as_bytes()));
            let mut expected = text.clone();
            for (mark, value) in MARKS.iter().zip(given) {
                expected = expected.replace(mark, value);
            }
            for piece in 1..=expected.len() + 1 {
                assert_eq!(
                    body(&template, &values, piece),
                    expected.as_bytes(),
                    "{text:?}"
                );
            }
            let whole = Arc::new(template.composed(&values));
            assert_eq!(whole.hash(&Values::from([])), template.hash(&values));
            assert_eq!(body(&whole, &Values::from([]), 3), expected.as_bytes());
        }
    }
}

#[test]
fn bodies_of_other_values_have_other_hashes() {
    let template = Template::new(MARKS[0].as_bytes());
    let hash = |texts| template.hash(&values(texts));
    assert_ne!(hash(["a", "", ""]), hash(["b", "", ""]));
    assert_ne!(hash(["ab", "c", ""]), hash(["a", "bc", ""]));
}

#[test]
fn a_body_that_waits_ends_with_its_template() {
    let template = Arc::new(Template::new(b"text"));
    let mut composed = Composed::new(&template, Values::from([]));
    drop(template);
    assert!(composed.template().is_some(), "it has not waited yet");
    composed.release();
    assert!(composed.template().is_none());
}
