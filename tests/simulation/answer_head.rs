//! The head of an answer, as a client reads it.

pub struct AnswerHead {
    pub status: u16,
    pub length: usize,
    pub content_bytes: Option<usize>,
    pub closes: bool,
}

/// The next head of an answer; `None` where it is incomplete.
pub fn parse_head(bytes: &[u8]) -> Result<Option<AnswerHead>, String> {
    let mut slots = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut slots);
    let parsed = response
        .parse(bytes)
        .map_err(|error| format!("a head: {error}"))?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let field = |name: &str| {
        let mut fields = response.headers.iter();
        let found = fields.find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    Ok(Some(AnswerHead {
        status: response.code.unwrap_or(0),
        length,
        content_bytes: field("content-length").and_then(|text| text.parse().ok()),
        closes: field("connection") == Some("close"),
    }))
}
