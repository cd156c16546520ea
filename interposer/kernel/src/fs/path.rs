//! Path names.

use alloc::vec::Vec;

/// The absolute path that `path` names in `directory`, without empty and `.` components. `..` stays: it means
/// the parent of what is before it, which may be a symbolic link.
#[must_use]
pub fn join(directory: &[u8], path: &[u8]) -> Vec<u8> {
    let start: &[u8] = if path.starts_with(b"/") { b"" } else { directory };
    let mut joined = Vec::with_capacity(start.len() + path.len() + 1);
    for part in start.split(|&b| b == b'/').chain(path.split(|&b| b == b'/')) {
        if !part.is_empty() && part != b"." {
            joined.push(b'/');
            joined.extend_from_slice(part);
        }
    }
    if joined.is_empty() {
        joined.push(b'/');
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_paths_are_absolute_and_plain() {
        let cases: [(&str, &str, &str); 6] = [
            ("/a", "b", "/a/b"),
            ("/a", "/b", "/b"),
            ("/a/", "./b//c/.", "/a/b/c"),
            ("/", "", "/"),
            ("/a", "../b", "/a/../b"),
            ("/", ".", "/"),
        ];
        for (directory, path, joined) in cases {
            assert_eq!(
                join(directory.as_bytes(), path.as_bytes()),
                joined.as_bytes(),
                "{directory} {path}"
            );
        }
    }
}
