//! A second reader of request heads, byte by byte and without any library: the first one must agree
//! with it.
//!
//! It follows RFC 9112 to the letter, with the project's restrictions (CRLF only, one framing, one
//! Host) and one leniency that both share: a target may hold any byte that is neither blank nor
//! control, as long as it is UTF-8, since clients send names that are not ASCII as they are. Where
//! the RFC leaves a choice it takes the stricter one, but never one that is stricter than what the
//! project documents. It knows no bounds.
//!
//! Sources: RFC 9112, sections 2.2, 3, 5 and 6; RFC 9110, sections 5.5, 5.6.2 and 7.2; RFC 3986,
//! section 3.2.

/// What a request head says.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'b> {
    pub method: &'b str,
    pub path: &'b str,
    pub query: &'b str,
    /// From the target, else from the Host field.
    pub authority: Option<&'b str>,
    pub minor_version: u8,
    /// Names as received; values without the blanks around them.
    pub fields: Vec<(&'b str, &'b [u8])>,
    pub body: Body,
    /// Bytes of the head, blank lines before it included.
    pub length: usize,
}

/// The framing of the body.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    None,
    Length(u64),
    Chunked,
}

/// Reads a complete head; `None` where it is incomplete, malformed or ambiguous.
pub fn read(bytes: &[u8]) -> Option<Request<'_>> {
    let mut rest = bytes;
    let mut line = take_line(&mut rest)?;
    while line.is_empty() {
        line = take_line(&mut rest)?;
    }
    let (method, target, minor_version) = request_line(line)?;
    let mut fields = Vec::new();
    loop {
        match take_line(&mut rest)? {
            [] => break,
            line => fields.push(field(line)?),
        }
    }
    let (target_authority, path, query) = split_target(target)?;
    let host = one_host(&fields, minor_version)?;
    Some(Request {
        method,
        path,
        query,
        authority: target_authority.or((!host.is_empty()).then_some(host)),
        minor_version,
        body: body(&fields, minor_version)?,
        fields,
        length: bytes.len() - rest.len(),
    })
}

/// The bytes up to the next CRLF, which is consumed too. A CR or LF outside a CRLF makes the line
/// invalid.
pub fn take_line<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let mut at = 0;
    loop {
        match rest.get(at)? {
            b'\r' => break,
            b'\n' => return None,
            _ => at += 1,
        }
    }
    if *rest.get(at + 1)? != b'\n' {
        return None;
    }
    let line = &rest[..at];
    *rest = &rest[at + 2..];
    Some(line)
}

/// `method SP request-target SP HTTP-version`, with single blanks.
fn request_line(line: &[u8]) -> Option<(&str, &str, u8)> {
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !is_token(method) {
        return None;
    }
    for byte in target {
        // `#` begins a fragment, which no form of a target has.
        if *byte < 0x21 || *byte == 0x7f || *byte == b'#' {
            return None;
        }
    }
    let minor_version = match version {
        b"HTTP/1.0" => 0,
        b"HTTP/1.1" => 1,
        _ => return None,
    };
    let method = std::str::from_utf8(method).ok()?;
    let target = std::str::from_utf8(target).ok()?;
    Some((method, target, minor_version))
}

fn is_token(text: &[u8]) -> bool {
    for byte in text {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {}
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' => {}
            b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' => {}
            _ => return false,
        }
    }
    !text.is_empty()
}

/// `field-name ":" OWS field-value OWS`.
pub fn field(line: &[u8]) -> Option<(&str, &[u8])> {
    let mut colon = 0;
    while *line.get(colon)? != b':' {
        colon += 1;
    }
    let (name, mut value) = (&line[..colon], &line[colon + 1..]);
    while let [b' ' | b'\t', inner @ ..] | [inner @ .., b' ' | b'\t'] = value {
        value = inner;
    }
    for byte in value {
        if matches!(byte, 0..=8 | 10..=31 | 127) {
            return None;
        }
    }
    let name = is_token(name).then(|| std::str::from_utf8(name).ok())??;
    Some((name, value))
}

/// Authority, path and query of the target: origin form, absolute form or asterisk form.
fn split_target(target: &str) -> Option<(Option<&str>, &str, &str)> {
    if target == "*" {
        return Some((None, "*", ""));
    }
    if target.starts_with('/') {
        let (path, query) = split_query(target);
        return Some((None, path, query));
    }
    let colon = target.find(':')?;
    let scheme = target[..colon].to_ascii_lowercase();
    let rest = target[colon..].strip_prefix("://")?;
    if scheme != "http" && scheme != "https" {
        return None;
    }
    let mut end = 0;
    while end < rest.len() && rest.as_bytes()[end] != b'/' && rest.as_bytes()[end] != b'?' {
        end += 1;
    }
    let authority = &rest[..end];
    let (path, query) = split_query(&rest[end..]);
    let path = if path.is_empty() { "/" } else { path };
    is_authority(authority).then_some((Some(authority), path, query))
}

fn split_query(target: &str) -> (&str, &str) {
    match target.find('?') {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, ""),
    }
}

/// The Host that every HTTP/1.1 request has, once; empty if HTTP/1.0 has none.
fn one_host<'b>(fields: &[(&'b str, &'b [u8])], minor_version: u8) -> Option<&'b str> {
    let mut found = None;
    for (name, value) in fields {
        if name.eq_ignore_ascii_case("Host") {
            if found.is_some() {
                return None;
            }
            found = Some(std::str::from_utf8(value).ok()?);
        }
    }
    match found {
        None => (minor_version == 0).then_some(""),
        Some(host) => (host.is_empty() || is_authority(host)).then_some(host),
    }
}

/// `uri-host [ ":" port ]`, with a port that TCP has.
pub fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rfind(':') {
        // A colon within brackets is the address's own.
        Some(at) if !text[at..].contains(']') => (&text[..at], Some(&text[at + 1..])),
        _ => (text, None),
    };
    let valid_port = match port {
        None => true,
        Some(port) => {
            let digits = port.trim_start_matches('0');
            let number = digits.bytes().try_fold(0u32, |number, digit| {
                let digit = char::from(digit).to_digit(10)?;
                Some(number * 10 + digit).filter(|number| *number <= 65535)
            });
            number.is_some()
        }
    };
    let valid_host = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => is_ipv6(address),
        None => is_registered_name(host.as_bytes()),
    };
    valid_host && valid_port
}

fn is_registered_name(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        match name[at] {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => at += 1,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => at += 1,
            b'%' => {
                let digits = name.get(at + 1..at + 3);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
                at += 3;
            }
            _ => return false,
        }
    }
    !name.is_empty()
}

/// Eight groups of one to four digits; `::` once for one or more groups of zeros; an IPv4 address
/// for the last two.
fn is_ipv6(text: &str) -> bool {
    let groups_of = |text: &str, may_end_in_ipv4: bool| -> Option<usize> {
        let mut count = 0;
        let mut groups = text.split(':').peekable();
        while let Some(group) = groups.next() {
            let hexadecimal = group.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hexadecimal && (1..=4).contains(&group.len()) {
                count += 1;
            } else if may_end_in_ipv4 && groups.peek().is_none() && is_ipv4(group) {
                count += 2;
            } else {
                return None;
            }
        }
        Some(count)
    };
    let side = |text: &str, last: bool| match text {
        "" => Some(0),
        text => groups_of(text, last),
    };
    match text.split_once("::") {
        None => groups_of(text, true) == Some(8),
        Some((front, back)) => {
            let sides = (side(front, false), side(back, true));
            matches!(sides, (Some(front), Some(back)) if front + back <= 7)
        }
    }
}

/// Four numbers under 256, without leading zeros.
fn is_ipv4(text: &str) -> bool {
    let is_octet = |octet: &str| {
        let digits = octet.bytes().all(|byte| byte.is_ascii_digit());
        let short = octet == "0" || !octet.starts_with('0');
        digits && short && octet.len() <= 3 && octet.parse::<u8>().is_ok()
    };
    text.split('.').count() == 4 && text.split('.').all(is_octet)
}

/// At most one of `Content-Length` and `Transfer-Encoding`, at most once; the coding is `chunked`
/// in HTTP/1.1.
fn body(fields: &[(&str, &[u8])], minor_version: u8) -> Option<Body> {
    let mut body = Body::None;
    for (name, value) in fields {
        let found = match name.to_ascii_lowercase().as_str() {
            "content-length" => Body::Length(length(value)?),
            "transfer-encoding" if minor_version == 1 && value.eq_ignore_ascii_case(b"chunked") => {
                Body::Chunked
            }
            "transfer-encoding" => return None,
            _ => continue,
        };
        if body != Body::None {
            return None;
        }
        body = found;
    }
    Some(body)
}

/// `1*DIGIT`; a number beyond 64 bits becomes the largest one that fits.
fn length(value: &[u8]) -> Option<u64> {
    let mut number: u128 = 0;
    for byte in value {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = (number * 10 + u128::from(byte - b'0')).min(u128::from(u64::MAX));
    }
    let number = u64::try_from(number).ok()?;
    (!value.is_empty()).then_some(number)
}
