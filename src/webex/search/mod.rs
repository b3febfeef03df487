//! The Search API: tasks after they ended.

mod lenient;
mod query;
mod task;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

pub use task::{EntityId, SearchActivities, SearchActivity, SearchTask};

use super::client::{ApiClient, ApiRequest, WebexError};

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// Where the next page begins; opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor(String);

/// At most 250 tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPage {
    /// The tasks.
    pub tasks: Vec<SearchTask>,
    /// How many could not be read: they are null, or no objects.
    pub unreadable: usize,
    /// Where the next page begins, if there is one.
    pub next: Option<PageCursor>,
}

#[derive(Deserialize)]
struct SearchAnswer {
    data: Option<SearchData>,
    /// GraphQL reports problems beside a 200.
    #[serde(default, deserialize_with = "lenient::any")]
    errors: Option<Vec<GraphQlError>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchData {
    task_details: Option<TaskDetails>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TaskDetails {
    #[serde(deserialize_with = "lenient::any")]
    tasks: Option<Vec<Value>>,
    #[serde(deserialize_with = "lenient::any")]
    page_info: Option<PageInfo>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageInfo {
    #[serde(deserialize_with = "lenient::flag")]
    has_next_page: Option<bool>,
    #[serde(deserialize_with = "lenient::text")]
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
struct GraphQlError {
    message: Option<String>,
}

/// Fields that the tenant's schema has turned out to lack.
#[derive(Default)]
pub(super) struct MissingFields(Mutex<BTreeSet<&'static str>>);

impl MissingFields {
    fn all(&self) -> BTreeSet<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is one more.
    fn insert(&self, field: &'static str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(field)
    }
}

impl ApiClient {
    /// Telephony tasks that ended within `span`, a page of them. A field that the tenant's schema lacks refuses the whole
    /// query: it is asked again without, and from then on never.
    ///
    /// # Errors
    /// When Webex gives none.
    pub async fn ended_tasks(
        &self,
        span: TimeSpan,
        cursor: Option<&PageCursor>,
    ) -> Result<TaskPage, WebexError> {
        loop {
            let without = self.missing_fields().all();
            let error = match self.ask_for_tasks(query::ended(span, cursor, &without), cursor).await {
                Err(error @ (WebexError::Refused { status: 400, .. } | WebexError::Unreadable(_))) => error,
                answered => return answered,
            };
            let words = error.to_string();
            let Some(field) = query::refused(&words).filter(|field| !without.contains(field)) else {
                return Err(error);
            };
            if self.missing_fields().insert(field) {
                tracing::warn!(
                    field,
                    words,
                    "the Search API of this tenant lacks a field; it is no longer asked for"
                );
            }
        }
    }

    async fn ask_for_tasks(
        &self,
        query: String,
        cursor: Option<&PageCursor>,
    ) -> Result<TaskPage, WebexError> {
        let body = json!({ "query": query });
        let answered: SearchAnswer =
            self.ask(&ApiRequest { method: Method::POST, path: "/search", body: Some(body) }).await?;
        if let Some(problem) = answered.errors.iter().flatten().next() {
            let words = problem.message.as_deref().map(crate::domain::quote).unwrap_or_default();
            return Err(WebexError::Unreadable(format!("the Search API says {words}")));
        }
        let details = answered.data.and_then(|data| data.task_details);
        let details = details.ok_or_else(|| WebexError::Unreadable("no taskDetails".to_owned()))?;
        let next = details.page_info.filter(|info| info.has_next_page == Some(true));
        let next = next.and_then(|info| info.end_cursor).map(PageCursor);
        if next.is_some() && next.as_ref() == cursor {
            return Err(WebexError::Unreadable("a page that is followed by itself".to_owned()));
        }
        let records = details.tasks.unwrap_or_default();
        let count = records.len();
        let tasks: Vec<SearchTask> =
            records.into_iter().filter_map(|task| serde_json::from_value(task).ok()).collect();
        Ok(TaskPage { unreadable: count - tasks.len(), tasks, next })
    }
}
