//! `scv-bridge webex subscribe`, `list` and `remove`.

use std::io::Write;

use anyhow::{Context as _, bail};
use secrecy::SecretString;

use crate::settings::Settings;
use crate::webex::{ApiClient, NewSubscription, Subscription, WebexError, WebhookResource, destination};

/// Make what is missing of the subscriptions that the bridge needs.
#[derive(Debug, clap::Args)]
pub struct Subscribe {
    /// A resource and its version; may be given several times. Default: task:1.0.0, capture:1.0.0 and of
    /// agent:2.0.0 and agent:1.0.0 the newest that Webex accepts.
    #[arg(long = "resource", value_name = "RESOURCE:VERSION")]
    resources: Vec<WebhookResource>,
    /// What the names of the subscriptions begin with.
    #[arg(long, value_name = "NAME", default_value = "scv-bridge", value_parser = name)]
    name: String,
    /// Make those active again that Webex has turned inactive.
    #[arg(long)]
    reactivate: bool,
    /// Give those that exist the first of webex.webhook_secrets.
    #[arg(long)]
    replace_secret: bool,
}

/// List all subscriptions of the tenant.
#[derive(Debug, clap::Args)]
pub struct ListSubscriptions {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Remove subscriptions.
#[derive(Debug, clap::Args)]
pub struct RemoveSubscriptions {
    /// These subscriptions.
    #[arg(value_name = "ID", required_unless_present = "ours", conflicts_with = "ours")]
    ids: Vec<String>,
    /// All that send to this bridge.
    #[arg(long)]
    ours: bool,
}

/// With the resource and its version behind it, a name may have 64 characters.
fn name(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' '));
    if plain && (1..=40).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("must have 1 to 40 letters, digits, spaces, hyphens or underscores".to_owned())
    }
}

impl Subscribe {
    /// Gives whether all that was wanted is there and active.
    pub async fn run(
        &self,
        settings: &Settings,
        client: &ApiClient,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let destination = ours(settings)?;
        let secrets = settings.webex.as_ref().map(|webex| webex.webhook_secrets.as_slice());
        let secret = secrets.and_then(<[_]>::first).context(
            "webex.webhook_secret_files: is empty; without a secret anybody could send webhooks to the bridge",
        )?;
        let known = client.subscriptions().await?;
        let each = || self.resources.iter().map(|resource| vec![resource.clone()]).collect();
        let wanted: Vec<Vec<WebhookResource>> =
            if self.resources.is_empty() { WebhookResource::usual() } else { each() };
        let mut in_order = true;
        // What becomes of one is nothing to the others.
        for versions in wanted {
            let mut is_served = false;
            for resource in versions {
                let found = known.iter().find(|known| known.serves(&resource, &destination));
                let done = match found {
                    Some(found) => {
                        self.keep(found, client, secret).await.map(|word| (word, found.id.clone()))
                    }
                    None if is_served => continue,
                    None => self.make(&resource, &destination, client, secret).await.map(|id| ("made", id)),
                };
                let (word, said) = match done {
                    Ok((INACTIVE, id)) => {
                        in_order = false;
                        (INACTIVE, id)
                    }
                    Ok((word, id)) if is_served => {
                        (word, format!("{id} (superseded: scv-bridge webex remove {id})"))
                    }
                    Ok(done) => done,
                    Err(error) => ("failed", error.to_string()),
                };
                is_served |= word != "failed";
                writeln!(out, "{:<14} {word:<11} {said}", resource.to_string())?;
            }
            in_order &= is_served;
        }
        writeln!(out, "webhooks go to {destination}")?;
        if !in_order {
            writeln!(
                out,
                "not all is in order. Webex turns a subscription inactive when its receiver fails; --reactivate makes it active again"
            )?;
        }
        Ok(in_order)
    }

    /// One that does not exist.
    async fn make(
        &self,
        resource: &WebhookResource,
        destination: &str,
        client: &ApiClient,
        secret: &SecretString,
    ) -> Result<String, WebexError> {
        let name = format!("{} {}", self.name, resource.to_string().replace(':', " "));
        let (destination_url, secret) = (destination.to_owned(), secret.clone());
        let new = NewSubscription { name, resource: resource.clone(), destination_url, secret };
        Ok(client.subscribe(&new).await?.id)
    }

    /// One that exists already.
    async fn keep(
        &self,
        found: &Subscription,
        client: &ApiClient,
        secret: &SecretString,
    ) -> Result<&'static str, WebexError> {
        if self.replace_secret {
            client.replace_secret(&found.id, secret).await?;
        }
        Ok(match (found.is_active(), self.reactivate) {
            (true, _) => "exists",
            (false, true) => {
                client.reactivate(&found.id).await?;
                "reactivated"
            }
            (false, false) => INACTIVE,
        })
    }
}

const INACTIVE: &str = "inactive";

impl ListSubscriptions {
    /// Gives whether all of ours are active.
    pub async fn run(
        &self,
        settings: &Settings,
        client: &ApiClient,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let ours = ours(settings).ok();
        let all = client.subscriptions().await?;
        let is_ours = |each: &Subscription| ours.as_ref() == Some(&each.destination_url);
        if self.json {
            let shown = |each: &Subscription| {
                serde_json::json!({
                    "id": each.id, "name": each.name, "resource": each.resource_version, "status": each.status,
                    "events": each.event_types, "destination": each.destination_url, "ours": is_ours(each),
                })
            };
            writeln!(out, "{}", serde_json::Value::from_iter(all.iter().map(shown)))?;
        } else {
            for each in &all {
                let mark = if is_ours(each) { "*" } else { " " };
                let Subscription { id, name, resource_version, status, destination_url, .. } = each;
                writeln!(out, "{mark} {id}  {resource_version:<14} {status:<9} {name}  {destination_url}")?;
            }
            writeln!(out, "{} subscriptions; * sends to this bridge", all.len())?;
        }
        Ok(all.iter().filter(|each| is_ours(each)).all(Subscription::is_active))
    }
}

impl RemoveSubscriptions {
    /// Gives whether there was anything to remove.
    pub async fn run(
        &self,
        settings: &Settings,
        client: &ApiClient,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let ids = if self.ours {
            let ours = ours(settings)?;
            let all = client.subscriptions().await?;
            all.into_iter().filter(|each| each.destination_url == ours).map(|each| each.id).collect()
        } else {
            self.ids.clone()
        };
        for id in &ids {
            client.unsubscribe(id).await.with_context(|| format!("{id}: not removed"))?;
            writeln!(out, "removed {id}")?;
        }
        if ids.is_empty() {
            writeln!(out, "no subscription sends to this bridge")?;
        }
        Ok(!ids.is_empty())
    }
}

/// Where webhooks of this bridge go.
fn ours(settings: &Settings) -> anyhow::Result<String> {
    match destination(settings.server.public_url.as_ref()) {
        Ok(destination) => Ok(destination),
        Err(problem) => bail!("{problem}"),
    }
}
