//! How calls end.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::file::GrpcStatus;

/// The field that has the status.
pub const FIELD: HeaderName = HeaderName::from_static("grpc-status");
/// The field that says why.
pub const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The status that an answer of HTTP stands for, as clients take it
/// (<https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>), and 429, which is no error of the way.
pub fn of_http(status: StatusCode) -> GrpcStatus {
    match status.as_u16() {
        200..=299 => GrpcStatus::Ok,
        400 => GrpcStatus::InvalidArgument,
        401 => GrpcStatus::Unauthenticated,
        403 => GrpcStatus::PermissionDenied,
        404 => GrpcStatus::Unimplemented,
        409 => GrpcStatus::Aborted,
        422 => GrpcStatus::InvalidArgument,
        429 => GrpcStatus::ResourceExhausted,
        502..=504 => GrpcStatus::Unavailable,
        500..=599 => GrpcStatus::Internal,
        _ => GrpcStatus::Unknown,
    }
}

/// Fields that end a call.
pub fn fields(status: GrpcStatus, words: &str) -> HeaderMap {
    let mut fields = HeaderMap::from_iter([(FIELD, HeaderValue::from(status as u16))]);
    if let Ok(value) = HeaderValue::from_str(&escaped(words))
        && !words.is_empty()
    {
        fields.insert(MESSAGE, value);
    }
    fields
}

/// Words with signs that a field cannot have in percent.
fn escaped(words: &str) -> String {
    let sign = |byte: u8| match byte {
        b' '..=b'~' if byte != b'%' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    words.bytes().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped() {
        let fields = fields(GrpcStatus::NotFound, "50% of ä\n");
        assert_eq!(
            (&fields[FIELD], &fields[MESSAGE]),
            (&"5".parse().expect("a value"), &"50%25 of %C3%A4%0A".parse().expect("a value"))
        );
        assert_eq!(of_http(StatusCode::SERVICE_UNAVAILABLE) as u16, 14);
    }
}
