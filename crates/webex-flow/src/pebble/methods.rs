//! Which methods Java's types have.

use super::value::Value;

/// What a parameter takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// `String` or `CharSequence`.
    Text,
    /// `int`.
    Whole,
    /// `Object`.
    Any,
    /// `Collection`.
    List,
}

use Takes::{Any, List, Text, Whole};

/// A method and its parameters.
pub(super) type Method = (&'static str, &'static [Takes]);

const OF_TEXT: [Method; 40] = [
    ("charAt", &[Whole]),
    ("compareTo", &[Text]),
    ("compareToIgnoreCase", &[Text]),
    ("concat", &[Text]),
    ("contains", &[Text]),
    ("contentEquals", &[Text]),
    ("endsWith", &[Text]),
    ("equals", &[Any]),
    ("equalsIgnoreCase", &[Text]),
    ("hashCode", &[]),
    ("indexOf", &[Text]),
    ("indexOf", &[Whole]),
    ("indexOf", &[Text, Whole]),
    ("intern", &[]),
    ("isBlank", &[]),
    ("isEmpty", &[]),
    ("lastIndexOf", &[Text]),
    ("lastIndexOf", &[Whole]),
    ("length", &[]),
    ("matches", &[Text]),
    ("repeat", &[Whole]),
    ("replace", &[Text, Text]),
    ("replaceAll", &[Text, Text]),
    ("replaceFirst", &[Text, Text]),
    ("split", &[Text]),
    ("split", &[Text, Whole]),
    ("startsWith", &[Text]),
    ("startsWith", &[Text, Whole]),
    ("strip", &[]),
    ("stripLeading", &[]),
    ("stripTrailing", &[]),
    ("subSequence", &[Whole, Whole]),
    ("substring", &[Whole]),
    ("substring", &[Whole, Whole]),
    ("toLowerCase", &[]),
    ("toString", &[]),
    ("toUpperCase", &[]),
    ("trim", &[]),
    ("codePointAt", &[Whole]),
    ("lastIndexOf", &[Text, Whole]),
];
const OF_LISTS: [Method; 10] = [
    ("contains", &[Any]),
    ("containsAll", &[List]),
    ("equals", &[Any]),
    ("get", &[Whole]),
    ("indexOf", &[Any]),
    ("isEmpty", &[]),
    ("lastIndexOf", &[Any]),
    ("size", &[]),
    ("subList", &[Whole, Whole]),
    ("toString", &[]),
];
const OF_MAPS: [Method; 11] = [
    ("containsKey", &[Any]),
    ("containsValue", &[Any]),
    ("entrySet", &[]),
    ("equals", &[Any]),
    ("get", &[Any]),
    ("getOrDefault", &[Any, Any]),
    ("isEmpty", &[]),
    ("keySet", &[]),
    ("size", &[]),
    ("toString", &[]),
    ("values", &[]),
];
const OF_ENTRIES: [Method; 4] = [("getKey", &[]), ("getValue", &[]), ("equals", &[Any]), ("toString", &[])];
const OF_NUMBERS: [Method; 5] =
    [("intValue", &[]), ("longValue", &[]), ("doubleValue", &[]), ("equals", &[Any]), ("toString", &[])];
const OF_TIMES: [Method; 10] = [
    ("getDayOfMonth", &[]),
    ("getDayOfYear", &[]),
    ("getHour", &[]),
    ("getMinute", &[]),
    ("getMonthValue", &[]),
    ("getNano", &[]),
    ("getSecond", &[]),
    ("getYear", &[]),
    ("toEpochSecond", &[]),
    ("toString", &[]),
];
const OF_OTHERS: [Method; 2] = [("equals", &[Any]), ("toString", &[])];

/// Methods that Java has and we do not, by the newest release: an older one may not have them either.
const NOT_OF_TEXT: &str = "chars codePoints codePointBefore codePointCount copyValueOf describeConstable format formatted \
    getBytes getChars indent indexOf join lines offsetByCodePoints regionMatches resolveConstantDesc splitWithDelimiters \
    stripIndent transform translateEscapes valueOf CASE_INSENSITIVE_ORDER";
const NOT_OF_LISTS: &str = "add addAll addFirst addLast clear copyOf forEach getFirst getLast hashCode iterator listIterator of \
    parallelStream remove removeAll removeFirst removeIf removeLast replaceAll retainAll reversed set sort spliterator stream \
    toArray ensureCapacity trimToSize clone";
const NOT_OF_MAPS: &str = "clear compute computeIfAbsent computeIfPresent copyOf entry forEach hashCode merge of ofEntries put \
    putAll putIfAbsent remove replace replaceAll clone firstEntry lastEntry pollFirstEntry pollLastEntry putFirst putLast \
    reversed sequencedKeySet sequencedValues sequencedEntrySet";
const NOT_OF_ENTRIES: &str = "comparingByKey comparingByValue copyOf hashCode setValue";
const NOT_OF_NUMBERS: &str = "bitCount byteValue compare compareTo compareUnsigned compress decode describeConstable divideUnsigned \
    doubleToLongBits doubleToRawLongBits expand floatValue getInteger getLong hashCode highestOneBit isFinite isInfinite isNaN \
    longBitsToDouble lowestOneBit max min numberOfLeadingZeros numberOfTrailingZeros parseDouble parseInt parseLong \
    parseUnsignedInt parseUnsignedLong remainderUnsigned resolveConstantDesc reverse reverseBytes rotateLeft rotateRight \
    shortValue signum sum toBinaryString toHexString toOctalString toUnsignedLong toUnsignedString valueOf BYTES MAX_VALUE \
    MIN_VALUE SIZE TYPE MAX_EXPONENT MIN_EXPONENT MIN_NORMAL NaN NEGATIVE_INFINITY POSITIVE_INFINITY PRECISION";
const NOT_OF_OTHERS: &str = "booleanValue charValue compare compareTo describeConstable hashCode logicalAnd logicalOr logicalXor \
    valueOf parseBoolean getBoolean isDigit isLetter isLetterOrDigit isUpperCase isLowerCase isWhitespace toUpperCase toLowerCase \
    getNumericValue getName getType isAlphabetic TRUE FALSE TYPE MAX_VALUE MIN_VALUE content";

/// The methods that are known for a value, by Java's names.
pub(super) fn of(value: &Value) -> &'static [Method] {
    match value {
        Value::Text(_) => &OF_TEXT,
        Value::List(_) => &OF_LISTS,
        Value::Map(_) => &OF_MAPS,
        Value::Entry(_) => &OF_ENTRIES,
        Value::Int(_) | Value::Long(_) | Value::Double(_) => &OF_NUMBERS,
        Value::Time(_) => &OF_TIMES,
        _ => &OF_OTHERS,
    }
}

/// The member that Java has of the value, and we do not. Times have too many to list them.
pub(super) fn lacking(value: &Value, name: &str) -> Option<String> {
    let names = match value {
        Value::Text(_) => NOT_OF_TEXT,
        Value::List(_) => NOT_OF_LISTS,
        Value::Map(_) => NOT_OF_MAPS,
        Value::Entry(_) => NOT_OF_ENTRIES,
        Value::Int(_) | Value::Long(_) | Value::Double(_) => NOT_OF_NUMBERS,
        Value::Time(_) => return Some(name.to_owned()),
        _ => NOT_OF_OTHERS,
    };
    names.split(' ').find(|known| known.eq_ignore_ascii_case(name)).map(str::to_owned)
}

/// How a method's name may be shortened: `empty` is `isEmpty`.
pub(super) fn spellings(name: &str) -> [String; 4] {
    ["", "get", "is", "has"].map(|prefix| format!("{prefix}{name}"))
}
