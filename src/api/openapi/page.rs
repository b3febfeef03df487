//! The document as a page: HTML of our own, without scripts, so that nothing has to be allowed but one style sheet.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Nothing but the style sheet.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The style sheet.
pub(super) const STYLE: &str = include_str!("style.css");

/// The page of a document.
pub(super) fn render(document: &Value) -> String {
    let mut html = String::new();
    // Writing to a String does not fail.
    let _ = Page { document }.write(&mut html);
    html
}

struct Page<'a> {
    document: &'a Value,
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Text of the document: what stands between backticks is code.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", escaped(part)) } else { escaped(part) })
        .collect()
}

fn str_of<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn entries<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
    value.get(key).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

impl Page<'_> {
    fn write(&self, html: &mut String) -> std::fmt::Result {
        let info = self.document.get("info").unwrap_or(&Value::Null);
        let (title, version) = (escaped(str_of(info, "title")), escaped(str_of(info, "version")));
        let server = list(self.document, "servers").next().map(|server| str_of(server, "url"));
        write!(
            html,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} API</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body><header><h1>{title} <small>{version}</small></h1>\
             <p>{}</p><p>Flows call it at <code>{}</code>. For programs: <a href=\"/openapi.json\">openapi.json</a>.</p></header>",
            prose(str_of(info, "description")),
            escaped(server.unwrap_or_default()),
        )?;
        self.contents(html)?;
        html.push_str("<main>");
        for tag in list(self.document, "tags") {
            let name = str_of(tag, "name");
            write!(html, "<section><h2>{}</h2><p>{}</p>", escaped(name), prose(str_of(tag, "description")))?;
            for (path, method, operation) in self.operations(name) {
                self.operation(html, path, method, operation)?;
            }
            html.push_str("</section>");
        }
        self.errors(html)?;
        self.values(html)?;
        html.push_str("</main></body></html>\n");
        Ok(())
    }

    /// The operations of a tag: path, method and operation.
    fn operations(&self, tag: &str) -> Vec<(&String, &String, &Value)> {
        let of = |operation: &Value| list(operation, "tags").any(|own| own == tag);
        entries(self.document, "paths")
            .flat_map(|(path, item)| {
                let methods = item.as_object().into_iter().flat_map(Map::iter);
                methods.map(move |(method, operation)| (path, method, operation))
            })
            .filter(|(.., operation)| of(operation))
            .collect()
    }

    fn contents(&self, html: &mut String) -> std::fmt::Result {
        html.push_str("<nav aria-label=\"Contents\"><ul>");
        for tag in list(self.document, "tags") {
            for (path, method, operation) in self.operations(str_of(tag, "name")) {
                write!(
                    html,
                    "<li><a href=\"#{}\"><b>{}</b> {}</a></li>",
                    escaped(str_of(operation, "operationId")),
                    method.to_uppercase(),
                    escaped(path),
                )?;
            }
        }
        html.push_str(
            "<li><a href=\"#errors\">Errors</a></li><li><a href=\"#values\">Values</a></li></ul></nav>",
        );
        Ok(())
    }

    fn operation(&self, html: &mut String, path: &str, method: &str, operation: &Value) -> std::fmt::Result {
        write!(
            html,
            "<article id=\"{}\"><h3><b>{}</b> <code>{}</code></h3><p>{}</p>",
            escaped(str_of(operation, "operationId")),
            method.to_uppercase(),
            escaped(path),
            prose(str_of(operation, "summary")),
        )?;
        if let Some(description) = operation.get("description").and_then(Value::as_str) {
            write!(html, "<p>{}</p>", prose(description))?;
        }
        self.credentials(html, operation)?;
        if let Some((kind, content)) =
            operation.get("requestBody").and_then(|body| entries(body, "content").next())
        {
            write!(html, "<h4>Body, <code>{}</code></h4>", escaped(kind))?;
            self.fields(html, content.get("schema").unwrap_or(&Value::Null))?;
            example(html, "Example", content.get("example"))?;
        }
        html.push_str("<h4>Answers</h4>");
        for (status, response) in entries(operation, "responses") {
            match self.resolve(response) {
                (response, Some(name)) => write!(
                    html,
                    "<p class=\"answer\"><a href=\"#answer-{}\"><b>{}</b></a> {}</p>",
                    escaped(name),
                    escaped(status),
                    prose(str_of(response, "description"))
                )?,
                (response, None) => answer(html, None, status, response)?,
            }
        }
        html.push_str("</article>");
        Ok(())
    }

    fn credentials(&self, html: &mut String, operation: &Value) -> std::fmt::Result {
        let names: Vec<&str> = list(operation, "security")
            .flat_map(|one| one.as_object().into_iter().flat_map(Map::keys))
            .map(String::as_str)
            .collect();
        if names.is_empty() { Ok(()) } else { write!(html, "<p>Credentials: {}.</p>", names.join(" or ")) }
    }

    /// The schema that a reference names, and its name.
    fn resolve<'v>(&'v self, schema: &'v Value) -> (&'v Value, Option<&'v str>) {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let name = reference.and_then(|path| path.rsplit('/').next());
        let found = reference.and_then(|path| self.document.pointer(path.trim_start_matches('#')));
        (found.unwrap_or(schema), name)
    }

    fn fields(&self, html: &mut String, schema: &Value) -> std::fmt::Result {
        let (schema, _) = self.resolve(schema);
        // Conditions stand behind the fields.
        let object = list(schema, "allOf").next().unwrap_or(schema);
        let required: Vec<&str> = list(object, "required").filter_map(Value::as_str).collect();
        let mut fields = entries(object, "properties").peekable();
        if fields.peek().is_none() {
            return Ok(());
        }
        html.push_str("<div class=\"wide\"><table><thead><tr><th>field</th><th>value</th><th>meaning</th></tr></thead><tbody>");
        for (name, field) in fields {
            let (value, meaning) =
                (list(field, "allOf").next().unwrap_or(field), str_of(field, "description"));
            let needed = if required.contains(&name.as_str()) { " <em>required</em>" } else { "" };
            write!(
                html,
                "<tr><td><code>{}</code>{needed}</td><td>{}</td><td>{}</td></tr>",
                escaped(name),
                self.kind(value),
                prose(meaning)
            )?;
        }
        html.push_str("</tbody></table></div>");
        Ok(())
    }

    /// A value's schema in a word.
    fn kind(&self, schema: &Value) -> String {
        if let (_, Some(name)) = self.resolve(schema) {
            let name = escaped(name);
            return format!("<a href=\"#value-{name}\">{name}</a>");
        }
        match schema.get("enum").and_then(Value::as_array) {
            Some(words) => words
                .iter()
                .map(|word| format!("<code>{}</code>", escaped(&word.to_string())))
                .collect::<Vec<_>>()
                .join(", "),
            None => match schema.get("type") {
                Some(Value::String(kind)) => escaped(kind),
                Some(Value::Array(kinds)) => {
                    kinds.iter().filter_map(Value::as_str).map(escaped).collect::<Vec<_>>().join(" or ")
                }
                _ => String::new(),
            },
        }
    }

    fn errors(&self, html: &mut String) -> std::fmt::Result {
        html.push_str("<section id=\"errors\"><h2>Errors</h2>");
        let components = self.document.get("components").unwrap_or(&Value::Null);
        for (name, response) in entries(components, "responses") {
            answer(html, Some(name), name, response)?;
        }
        html.push_str("</section>");
        Ok(())
    }

    fn values(&self, html: &mut String) -> std::fmt::Result {
        html.push_str("<section id=\"values\"><h2>Values</h2>");
        let components = self.document.get("components").unwrap_or(&Value::Null);
        for (name, schema) in entries(components, "schemas") {
            let pretty = serde_json::to_string_pretty(schema).unwrap_or_default();
            write!(
                html,
                "<details id=\"value-{name}\"><summary><code>{name}</code> {}</summary><pre>{}</pre></details>",
                prose(str_of(schema, "description")),
                escaped(&pretty),
                name = escaped(name),
            )?;
        }
        html.push_str("</section>");
        Ok(())
    }
}

/// An answer, with the name by which it is linked to.
fn answer(html: &mut String, name: Option<&str>, status: &str, response: &Value) -> std::fmt::Result {
    let open = if status == "200" { " open" } else { "" };
    let id = name.map_or_else(String::new, |name| format!(" id=\"answer-{}\"", escaped(name)));
    write!(
        html,
        "<details{id}{open}><summary><b>{}</b> {}</summary>",
        escaped(status),
        prose(str_of(response, "description"))
    )?;
    let headers: Vec<String> =
        entries(response, "headers").map(|(name, _)| format!("<code>{}</code>", escaped(name))).collect();
    if !headers.is_empty() {
        write!(html, "<p>Headers: {}</p>", headers.join(", "))?;
    }
    for (kind, content) in entries(response, "content") {
        example(html, kind, content.get("example"))?;
        for (name, one) in entries(content, "examples") {
            example(html, name, one.get("value"))?;
        }
    }
    html.push_str("</details>");
    Ok(())
}

fn example(html: &mut String, name: &str, value: Option<&Value>) -> std::fmt::Result {
    let Some(value) = value else { return Ok(()) };
    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
    write!(html, "<figure><figcaption>{}</figcaption><pre>{}</pre></figure>", escaped(name), escaped(&pretty))
}
