//! The Search API: tasks after they ended.

mod query;
mod task;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

pub use task::{Activities, Activity, Named, Task};

use super::client::{Ask, AskError, Client};

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// Where the next page begins; opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// At most 250 tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

#[derive(Deserialize)]
struct Answered {
    data: Option<Data>,
    /// GraphQL reports problems beside a 200.
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    task_details: Option<Details>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(default)]
    tasks: Vec<Task>,
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: Option<bool>,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    message: Option<String>,
}

impl Client {
    /// Telephony tasks that ended within `span`, a page of them.
    ///
    /// # Errors
    /// When Webex gives none.
    pub async fn ended_tasks(&self, span: Span, cursor: Option<&Cursor>) -> Result<Page, AskError> {
        let body = json!({ "query": query::ended(span, cursor) });
        let answered: Answered =
            self.ask(&Ask { method: Method::POST, path: "/search", body: Some(body) }).await?;
        if let Some(problem) = answered.errors.first() {
            let words = problem.message.as_deref().map(crate::domain::quote).unwrap_or_default();
            return Err(AskError::Unreadable(format!("the Search API says {words}")));
        }
        let details = answered.data.and_then(|data| data.task_details);
        let details = details.ok_or_else(|| AskError::Unreadable("no taskDetails".to_owned()))?;
        let next = details.page_info.filter(|info| info.has_next_page == Some(true));
        let next = next.and_then(|info| info.end_cursor).map(Cursor);
        if next.is_some() && next.as_ref() == cursor {
            return Err(AskError::Unreadable("a page that is followed by itself".to_owned()));
        }
        Ok(Page { tasks: details.tasks, next })
    }
}
