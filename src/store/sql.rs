//! How statements are spelled: each once, for both engines.
//!
//! A [`Query`] is the type of its parameters. They go to the database as one JSON text, and each row comes back as one: so
//! both engines look alike, and a statement serves a whole batch. What the engines spell differently stands in braces:
//!
//! | in a statement | SQLite | PostgreSQL |
//! |---|---|---|
//! | `{name}`, `{name int}` | a parameter | a parameter, with its type |
//! | `{each name}`, `{each name int}` | the column `value` of a parameter that is a list | the same |
//! | `{rows a, b int}` | the columns of a list of parameters | the same |
//! | `{input}` | all parameters, as the text that they are | the same |
//! | `{object 'a', x}`, `{array x}`, `{json SELECT ..}` | an object, an aggregated list, JSON of a subquery | the same |
//! | `{text x}`, `{quoted x}` | JSON as the text of a row; a text as JSON | the same |
//! | `{call c}`, `{entry o}`, `{task t}` | the row of an alias as JSON | the same |
//! | `{earliest a, b}`, `{latest a, b}` | `min`, `max` of two, of which either may be NULL | `least`, `greatest` |
//! | `{position a, b}` | `instr` | `strpos` |
//! | `{in SELECT ..}` | `IN (..)` | `= ANY (ARRAY(..))`: chosen once, although rows are locked |
//! | `{lock}`, `{skip locked}` | nothing: there is one process | `FOR UPDATE`, `FOR UPDATE SKIP LOCKED` |
//! | `{columns}`, `{values}` | of an [`Insert`]: their names, and its rows as a table | the same |

use rusqlite::types::ValueRef;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use super::row::{json, read};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// Embedded, for one process.
    Sqlite,
    /// A server, for several replicas.
    Postgres,
}

/// A statement and its parameters.
pub(super) trait Query: Serialize {
    /// What each row holds.
    type Row: DeserializeOwned;
    /// The statement.
    const SQL: &'static str;
}

/// A row of a table into which a batch of rows is put by one statement. Creates and webhooks come by the thousand: of them,
/// SQLite takes values that are bound, because reading them from JSON costs more (docs/performance.md).
pub(super) trait Insert: Serialize {
    /// The names of the columns, and whether each holds a number.
    const COLUMNS: &'static [(&'static str, bool)];
    /// The statement.
    const SQL: &'static str;
    /// The values in the order of the columns.
    fn values(&self) -> impl Iterator<Item = ValueRef<'_>>;
}

impl<I: Insert> Insert for &I {
    const COLUMNS: &'static [(&'static str, bool)] = I::COLUMNS;
    const SQL: &'static str = I::SQL;

    fn values(&self) -> impl Iterator<Item = ValueRef<'_>> {
        (**self).values()
    }
}

/// An open database, on which the statements of a batch run one after the other.
pub(super) trait Connection {
    /// Whether several processes may write to the database.
    fn is_shared(&self) -> bool;

    /// Gives parameters to a statement and collects its rows.
    ///
    /// # Errors
    /// As the database says.
    async fn rows(&mut self, sql: &'static str, input: String) -> Result<Vec<String>, StoreError>;

    /// Gives rows to a statement, `SQL` of the rows or another over the same columns, and collects what it gives.
    ///
    /// # Errors
    /// As the database says.
    async fn insert<I: Insert>(&mut self, sql: &'static str, rows: &[I]) -> Result<Vec<String>, StoreError>;

    /// Begins to write.
    ///
    /// # Errors
    /// As the database says.
    async fn begin(&mut self) -> Result<(), StoreError>;

    /// Ends what was begun, so or so.
    ///
    /// # Errors
    /// As the database says.
    async fn end(&mut self, keeps: bool) -> Result<(), StoreError>;

    /// Asks one query and reads its rows.
    ///
    /// # Errors
    /// As the database says; or a row cannot be read.
    async fn query<Q: Query>(&mut self, query: &Q) -> Result<Vec<Q::Row>, StoreError> {
        read(&self.rows(Q::SQL, json(query)?).await?)
    }
}

/// The type of a column.
pub(super) trait ColumnType {
    /// Whether it holds a number.
    const IS_NUMBER: bool;

    /// The value, to be bound.
    fn bound(&self) -> ValueRef<'_>;
}

impl ColumnType for i64 {
    const IS_NUMBER: bool = true;

    fn bound(&self) -> ValueRef<'_> {
        ValueRef::Integer(*self)
    }
}

impl ColumnType for String {
    const IS_NUMBER: bool = false;

    fn bound(&self) -> ValueRef<'_> {
        ValueRef::Text(self.as_bytes())
    }
}

impl<T: ColumnType> ColumnType for Option<T> {
    const IS_NUMBER: bool = T::IS_NUMBER;

    fn bound(&self) -> ValueRef<'_> {
        self.as_ref().map_or(ValueRef::Null, ColumnType::bound)
    }
}

/// Makes a type whose fields are the columns of an [`Insert`], so that they stand in one place.
macro_rules! insert {
    ($(#[$meta:meta])* $name:ident { $($column:ident: $type:ty,)* } $sql:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Serialize)]
        pub(super) struct $name {
            $(pub(super) $column: $type,)*
        }

        impl $crate::store::sql::Insert for $name {
            const COLUMNS: &'static [(&'static str, bool)] = &[
                $((stringify!($column), <$type as $crate::store::sql::ColumnType>::IS_NUMBER)),*
            ];
            const SQL: &'static str = $sql;

            fn values(&self) -> impl Iterator<Item = rusqlite::types::ValueRef<'_>> {
                [$($crate::store::sql::ColumnType::bound(&self.$column)),*].into_iter()
            }
        }
    };
}
pub(super) use insert;

/// Words of the templates that stand before something, so that no parameter can have their names.
const NO_PARAMETER: [&str; 15] = [
    "rows", "each", "object", "array", "json", "text", "quoted", "call", "entry", "task", "earliest",
    "latest", "position", "in", "skip",
];

/// A call, as SQLite lists its columns.
const CALL: [&str; 23] = [
    "id",
    "call_center",
    "vendor_call_key",
    "parent",
    "voice_call_id",
    "fingerprint",
    "start_time",
    "created_at",
    "create_unknown_at",
    "deferred_at",
    "routed_at",
    "route_result",
    "route_at",
    "cleared_at",
    "nothing_to_clear_at",
    "answered_at",
    "answered_by",
    "ended_at",
    "closed_at",
    "lease_owner",
    "lease_until",
    "create_body",
    "updated_at",
];

/// An entry, as SQLite lists its columns.
const ENTRY: [&str; 13] = [
    "id",
    "call_center",
    "kind",
    "is_final",
    "body",
    "state",
    "attempts",
    "created_at",
    "next_at",
    "lease_until",
    "last_words",
    "reason",
    "buried_at",
];

impl Engine {
    /// A statement as this engine spells it. `rows`: of an [`Insert`], how many there is room for.
    pub(super) fn spell(self, sql: &str, columns: &[(&str, bool)], rows: usize) -> String {
        let mut spelled = String::with_capacity(sql.len() * 2);
        let mut rest = sql;
        while let Some((before, after)) = rest.split_once('{') {
            spelled.push_str(before);
            let (inside, left) = split_at_end(after);
            spelled.push_str(&self.word(inside, columns, rows));
            rest = left;
        }
        spelled.push_str(rest);
        spelled
    }

    /// What stands in braces.
    fn word(self, inside: &str, columns: &[(&str, bool)], rows: usize) -> String {
        let (word, arguments) = inside.split_once(' ').unwrap_or((inside, ""));
        let looks_like_parameter = arguments.is_empty() || arguments == "int";
        debug_assert!(
            !(looks_like_parameter && NO_PARAMETER.contains(&word)),
            "{{{inside}}}: a parameter has the name of a word of the templates"
        );
        let spelled = |text: &str| self.spell(text, columns, rows);
        let pair = || arguments.split_once(", ").unwrap_or((arguments, arguments));
        match (word, self) {
            ("input", Self::Sqlite) => "?1".to_owned(),
            ("input", Self::Postgres) => "$1".to_owned(),
            ("columns", _) => columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
            ("values", Self::Sqlite) => {
                let row = format!("({})", vec!["?"; columns.len()].join(","));
                let named = columns.iter().zip(1..).map(|((name, _), at)| format!("column{at} AS {name}"));
                let (names, rows) = (named.collect::<Vec<_>>().join(","), vec![row; rows].join(","));
                format!("(SELECT {names} FROM (VALUES {rows}) WHERE column1 IS NOT NULL)")
            }
            ("values", Self::Postgres) => format!("(SELECT * FROM {})", recordset(columns)),
            ("rows", _) => self.rows(arguments),
            ("each", _) => self.each(arguments),
            ("object", Self::Sqlite) => format!("json_object({})", spelled(arguments)),
            ("object", Self::Postgres) => format!("jsonb_build_object({})", spelled(arguments)),
            ("array", Self::Sqlite) => format!("json_group_array({})", spelled(arguments)),
            ("array", Self::Postgres) => format!("coalesce(jsonb_agg({}), '[]')", spelled(arguments)),
            ("json", Self::Sqlite) => format!("json(({}))", spelled(arguments)),
            ("json", Self::Postgres) => format!("({})", spelled(arguments)),
            ("text", Self::Sqlite) => spelled(arguments),
            ("text", Self::Postgres) => format!("({})::text", spelled(arguments)),
            ("quoted", Self::Sqlite) => format!("json_quote({})", spelled(arguments)),
            ("quoted", Self::Postgres) => format!("to_json({})::text", spelled(arguments)),
            ("call", Self::Sqlite) => format!("json_object({})", fields(&CALL, arguments)),
            ("call", Self::Postgres) => format!("to_jsonb({arguments})"),
            ("entry", Self::Sqlite) => {
                let call = "{json SELECT {call c} FROM calls AS c WHERE c.id = ".to_owned();
                let call = spelled(&format!("{call}{arguments}.call_id}}"));
                format!("json_object({}, 'call', {call})", fields(&ENTRY, arguments))
            }
            ("entry", Self::Postgres) => format!(
                "(to_jsonb({arguments}) || jsonb_build_object('call',
                    (SELECT to_jsonb(c) FROM calls AS c WHERE c.id = {arguments}.call_id)))"
            ),
            ("task", _) => spelled(&format!(
                "{{object 'task_id', {arguments}.task_id, 'timeline', {arguments}.timeline, 'news', {arguments}.news,
                    'events', {{json SELECT {{array {{object 'event_id', e.event_id, 'event', e.event,
                        'numbers', e.numbers}}}} FROM events AS e WHERE e.task_id = {arguments}.task_id}}}}"
            )),
            ("earliest", _) => self.of_two("min", "least", pair()),
            ("latest", _) => self.of_two("max", "greatest", pair()),
            ("position", Self::Sqlite) => format!("instr({})", spelled(arguments)),
            ("position", Self::Postgres) => format!("strpos({})", spelled(arguments)),
            ("in", Self::Sqlite) => format!("IN ({})", spelled(arguments)),
            ("in", Self::Postgres) => format!("= ANY (ARRAY({}))", spelled(arguments)),
            ("lock" | "skip", Self::Sqlite) => String::new(),
            ("lock", Self::Postgres) => "FOR UPDATE".to_owned(),
            ("skip", Self::Postgres) => "FOR UPDATE SKIP LOCKED".to_owned(),
            (name, Self::Sqlite) => format!("(?1->>'{name}')"),
            (name, Self::Postgres) if arguments == "int" => format!("($1::json->>'{name}')::bigint"),
            (name, Self::Postgres) => format!("($1::json->>'{name}')"),
        }
    }

    /// The column `value` of a list.
    fn each(self, arguments: &str) -> String {
        let (name, kind) = arguments.split_once(' ').unwrap_or((arguments, ""));
        match (self, kind) {
            (Self::Sqlite, _) => format!("(SELECT value FROM json_each(?1, '$.{name}'))"),
            (Self::Postgres, "") => {
                format!("(SELECT value FROM json_array_elements_text($1::json->'{name}'))")
            }
            (Self::Postgres, _) => {
                format!("(SELECT value::bigint AS value FROM json_array_elements_text($1::json->'{name}'))")
            }
        }
    }

    /// The columns of a list of objects.
    fn rows(self, arguments: &str) -> String {
        let column = |column: &'_ str| match column.trim().strip_suffix(" int") {
            Some(name) => (name.to_owned(), true),
            None => (column.trim().to_owned(), false),
        };
        let columns: Vec<(String, bool)> = arguments.split(',').map(column).collect();
        match self {
            Self::Sqlite => {
                let columns = columns.iter().map(|(name, _)| format!("value->>'{name}' AS {name}"));
                format!("(SELECT {} FROM json_each(?1))", columns.collect::<Vec<_>>().join(", "))
            }
            Self::Postgres => {
                let columns: Vec<(&str, bool)> =
                    columns.iter().map(|(name, is_number)| (name.as_str(), *is_number)).collect();
                format!("(SELECT * FROM {})", recordset(&columns))
            }
        }
    }

    fn of_two(self, sqlite: &str, postgres: &str, (one, other): (&str, &str)) -> String {
        let [one, other] = [one, other].map(|text| self.spell(text, &[], 0));
        match self {
            Self::Sqlite => format!("{sqlite}(coalesce({one}, {other}), coalesce({other}, {one}))"),
            Self::Postgres => format!("{postgres}({one}, {other})"),
        }
    }
}

/// The parameters of PostgreSQL as a table.
fn recordset(columns: &[(&str, bool)]) -> String {
    let column =
        |(name, is_number): &(&str, bool)| format!("{name} {}", if *is_number { "bigint" } else { "text" });
    let columns: Vec<String> = columns.iter().map(column).collect();
    format!("json_to_recordset($1::json) AS r({})", columns.join(", "))
}

fn fields(columns: &[&str], alias: &str) -> String {
    columns.iter().map(|name| format!("'{name}',{alias}.{name}")).collect::<Vec<_>>().join(",")
}

/// Splits what follows an opening brace at the closing one.
fn split_at_end(text: &str) -> (&str, &str) {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let (inside, rest) = text.split_at(at);
            return (inside, rest.strip_prefix('}').unwrap_or_default());
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(sql: &str, columns: &[(&str, bool)], rows: usize) -> [String; 2] {
        [Engine::Sqlite, Engine::Postgres].map(|engine| engine.spell(sql, columns, rows))
    }

    #[test]
    fn a_statement_is_spelled_for_both_engines() {
        for (sql, sqlite, postgres) in [
            (
                "SELECT {text {object 'a', {earliest x, {now int}}}} FROM t",
                "SELECT json_object('a', min(coalesce(x, (?1->>'now')), coalesce((?1->>'now'), x))) FROM t",
                "SELECT (jsonb_build_object('a', least(x, ($1::json->>'now')::bigint)))::text FROM t",
            ),
            (
                "x {in SELECT id FROM t WHERE o = {owner} {skip locked}}",
                "x IN (SELECT id FROM t WHERE o = (?1->>'owner') )",
                "x = ANY (ARRAY(SELECT id FROM t WHERE o = ($1::json->>'owner') FOR UPDATE SKIP LOCKED))",
            ),
            (
                "FROM {rows id int, name} AS j WHERE x IN {each ids int}",
                "FROM (SELECT value->>'id' AS id, value->>'name' AS name FROM json_each(?1)) AS j \
                 WHERE x IN (SELECT value FROM json_each(?1, '$.ids'))",
                "FROM (SELECT * FROM json_to_recordset($1::json) AS r(id bigint, name text)) AS j \
                 WHERE x IN (SELECT value::bigint AS value FROM json_array_elements_text($1::json->'ids'))",
            ),
        ] {
            assert_eq!(both(sql, &[], 0), [sqlite, postgres]);
        }
        let [sqlite, postgres] = both("INSERT INTO t ({columns}) SELECT * FROM {values}", &[("a", true)], 2);
        assert_eq!(
            sqlite,
            "INSERT INTO t (a) SELECT * FROM \
             (SELECT column1 AS a FROM (VALUES (?),(?)) WHERE column1 IS NOT NULL)"
        );
        assert_eq!(
            postgres,
            "INSERT INTO t (a) SELECT * FROM (SELECT * FROM json_to_recordset($1::json) AS r(a bigint))"
        );
    }
}
