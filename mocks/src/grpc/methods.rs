//! What a service can be asked for, as a set of descriptors says it (`protoc --include_imports --descriptor_set_out`).

use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, MethodDescriptor,
    SerializeOptions,
};
use serde_json::Value;

/// The methods of a service by their paths.
#[derive(Clone, Debug, Default)]
pub struct Methods(DescriptorPool);

impl Methods {
    /// Those of a set of descriptors, besides those that are known.
    ///
    /// # Errors
    /// When it is none, in words.
    pub fn add(&mut self, set: &[u8]) -> Result<(), String> {
        self.0.decode_file_descriptor_set(set).map_err(|error| error.to_string())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.services().len() == 0
    }

    /// The method of a path, as in `/bank.Ledger/Balance`.
    pub fn find(&self, path: &str) -> Option<MethodDescriptor> {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        self.0.get_service_by_name(service)?.methods().find(|known| known.name() == method)
    }

    /// Paths of all methods.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let methods = self.0.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        methods.map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()))
    }
}

/// A message as JSON: with the names of the file, all fields, and numbers as numbers.
///
/// # Errors
/// When it is no such message, in words.
pub fn to_json(kind: MessageDescriptor, bytes: &[u8]) -> Result<Value, String> {
    let message = DynamicMessage::decode(kind, bytes).map_err(|error| error.to_string())?;
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .skip_default_fields(false)
        .stringify_64_bit_integers(false);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|error| error.to_string())
}

/// A message from JSON.
///
/// # Errors
/// What is none of its fields, in words.
pub fn from_json(kind: MessageDescriptor, value: &Value) -> Result<Vec<u8>, String> {
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let message = DynamicMessage::deserialize_with_options(kind, value, &options);
    Ok(prost_reflect::prost::Message::encode_to_vec(&message.map_err(|error| error.to_string())?))
}
