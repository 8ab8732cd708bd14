//! Objects that are objects. What serde derives also reads a list as a struct, field by field in their order; no document says so, and
//! a field that is added would change what such a list means.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A `T` that was written as an object.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// For `#[serde(deserialize_with)]`: a list of objects.
pub fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|object| object.0).collect())
}

/// The same, where the list may be absent or `null`.
pub fn optional_objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let objects = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(objects.map(|objects| objects.into_iter().map(|object| object.0).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, PartialEq, Debug)]
    struct One {
        a: u32,
    }

    #[derive(Deserialize)]
    struct Many {
        #[serde(deserialize_with = "objects")]
        list: Vec<One>,
        #[serde(default, deserialize_with = "optional_objects")]
        more: Option<Vec<One>>,
    }

    #[test]
    fn a_list_is_not_taken_for_an_object_wherever_it_stands() {
        assert_eq!(serde_json::from_str::<Object<One>>("{\"a\":1}").unwrap().0, One { a: 1 });
        assert!(serde_json::from_str::<Object<One>>("[1]").is_err());
        let many: Many = serde_json::from_str("{\"list\":[{\"a\":1}]}").unwrap();
        assert_eq!((many.list, many.more), (vec![One { a: 1 }], None));
        assert!(serde_json::from_str::<Many>("{\"list\":[[1]]}").is_err());
        assert!(serde_json::from_str::<Many>("{\"list\":[],\"more\":[[1]]}").is_err());
    }
}
