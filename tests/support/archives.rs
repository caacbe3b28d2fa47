//! Archives for the tables: written by hand, so that any number in them can be a wrong one.

/// A file in an archive, as the directory and the local header have it.
#[derive(Clone, Debug)]
pub struct Member {
    pub path: Vec<u8>,
    pub content: Vec<u8>,
    pub version: u16,
    pub flags: u16,
    pub method: u16,
    pub attributes: u32,
    pub extra: Vec<u8>,
    /// What the headers say instead of the length of the content.
    pub size: Option<u32>,
    /// What they say instead of its CRC-32.
    pub crc32: Option<u32>,
}

impl Member {
    pub fn new(path: &str, content: &[u8]) -> Self {
        Self {
            path: path.as_bytes().to_vec(),
            content: content.to_vec(),
            version: 20,
            flags: if path.is_ascii() { 0 } else { 0x800 },
            method: 0,
            attributes: 0o100_644 << 16,
            extra: Vec::new(),
            size: None,
            crc32: None,
        }
    }

    /// What both headers have in common, from the version that is needed to the length of the extra
    /// fields.
    fn common(&self, packed: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a small member");
        let numbers = [self.version, self.flags, self.method, 0, 0x5c21];
        let mut common: Vec<u8> = numbers.into_iter().flat_map(u16::to_le_bytes).collect();
        let crc32 = self.crc32.unwrap_or_else(|| crc32fast::hash(&self.content));
        let size = self.size.unwrap_or(length(&self.content));
        for number in [crc32, length(packed), size] {
            common.extend(number.to_le_bytes());
        }
        for bytes in [&self.path, &self.extra] {
            common.extend(
                u16::try_from(bytes.len())
                    .expect("a short field")
                    .to_le_bytes(),
            );
        }
        common
    }

    fn packed(&self) -> Vec<u8> {
        match self.method {
            8 => miniz_oxide::deflate::compress_to_vec(&self.content, 6),
            _ => self.content.clone(),
        }
    }
}

/// An archive of these members, without a comment.
pub fn archive(members: &[Member]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let packed = member.packed();
        let (common, start) = (member.common(&packed), bytes.len());
        bytes.extend(
            [
                &b"PK\x03\x04"[..],
                &common,
                &member.path,
                &member.extra,
                &packed,
            ]
            .concat(),
        );
        directory.extend([&b"PK\x01\x02\x14\x03"[..], &common, &[0; 6]].concat());
        directory.extend(member.attributes.to_le_bytes());
        directory.extend(u32::try_from(start).expect("a small archive").to_le_bytes());
        directory.extend([&member.path[..], &member.extra].concat());
    }
    let count = u16::try_from(members.len()).expect("few members");
    let numbers =
        [directory.len(), bytes.len()].map(|n| u32::try_from(n).expect("a small archive"));
    bytes.extend(directory);
    bytes.extend(
        [
            &b"PK\x05\x06\0\0\0\0"[..],
            &count.to_le_bytes(),
            &count.to_le_bytes(),
        ]
        .concat(),
    );
    bytes.extend(numbers.into_iter().flat_map(u32::to_le_bytes));
    bytes.extend([0, 0]);
    bytes
}

/// An archive of texts.
pub fn of_texts(files: &[(&str, &str)]) -> Vec<u8> {
    let members: Vec<_> = files
        .iter()
        .map(|(path, text)| Member::new(path, text.as_bytes()))
        .collect();
    archive(&members)
}
