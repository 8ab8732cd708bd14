//! Databases for tests.
//!
//! [`database`] gives an empty database on a cluster that all tests of this process share; it is started on first
//! use. `TEST_DATABASE_URL` (a superuser's URL) names a server to be used instead.

mod binaries;
mod cluster;
mod processes;
pub mod proxy;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use cluster::Cluster;

/// A database of its own. On a server from `TEST_DATABASE_URL` it is dropped with the last clone of this value.
#[derive(Clone, Debug)]
pub struct TestDatabase {
    /// For a superuser.
    pub url: String,
    _leftover: Option<Arc<Leftover>>,
}

/// A database on a server that outlives this process.
#[derive(Debug)]
struct Leftover {
    server: String,
    name: String,
}

/// A fresh, empty database.
pub async fn database() -> TestDatabase {
    fresh(None).await.unwrap_or_else(|error| panic!("no test database: {error:?}"))
}

/// A fresh copy of a template that `prepare` fills, once per process and `name`. It is given the template's URL and
/// must have closed its connections when it returns.
pub async fn database_from<F>(name: &'static str, prepare: F) -> TestDatabase
where
    F: AsyncFnOnce(String) -> Result<()>,
{
    from_template(name, prepare).await.unwrap_or_else(|error| panic!("no test database: {error:?}"))
}

/// The URL of the shared server, for a superuser, without a database's name of ours.
async fn server() -> Result<String> {
    // Never dropped: the cluster ends with the process.
    static SHARED: OnceCell<Cluster> = OnceCell::const_new();
    if let Some(url) = crate::environment("TEST_DATABASE_URL") {
        return Ok(url);
    }
    Ok(SHARED.get_or_try_init(Cluster::start).await?.url("postgres"))
}

async fn fresh(template: Option<&str>) -> Result<TestDatabase> {
    let server = server().await?;
    let name = fresh_name();
    create(&server, &name, template).await?;
    let url = with_database(&server, &name);
    let leftover = crate::environment("TEST_DATABASE_URL").map(|server| Arc::new(Leftover { server, name }));
    Ok(TestDatabase { url, _leftover: leftover })
}

async fn from_template<F>(name: &'static str, prepare: F) -> Result<TestDatabase>
where
    F: AsyncFnOnce(String) -> Result<()>,
{
    type Templates = Mutex<HashMap<&'static str, Arc<OnceCell<TestDatabase>>>>;
    static TEMPLATES: LazyLock<Templates> = LazyLock::new(Mutex::default);
    let cell = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default().clone();
    let template = cell
        .get_or_try_init(async || {
            let template = fresh(None).await?;
            prepare(template.url.clone()).await?;
            anyhow::Ok(template)
        })
        .await?;
    let name = template.url.rsplit('/').next().map(without_query).context("a URL without a database")?;
    fresh(Some(name)).await
}

fn fresh_name() -> String {
    format!("test_{}", Uuid::new_v4().simple())
}

async fn create(server: &str, name: &str, template: Option<&str>) -> Result<()> {
    let mut connection = PgConnection::connect(server).await.context("connecting to the test server")?;
    let template = template.map(|template| format!(" TEMPLATE {template}")).unwrap_or_default();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}{template}")))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

/// `postgres://user@host:port/old?options` with another database's name.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(a, o)| (a, Some(o)));
    let start_of_host = address.find("://").map_or(0, |at| at + 3);
    let end_of_host = address[start_of_host..].find('/').map_or(address.len(), |at| start_of_host + at);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    format!("{}/{name}{options}", &address[..end_of_host])
}

fn without_query(name: &str) -> &str {
    name.split('?').next().unwrap_or(name)
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let (server, name) = (std::mem::take(&mut self.server), std::mem::take(&mut self.name));
        // Inside a runtime nothing may block on another one, so the drop has a thread of its own.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&server).await?;
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
                anyhow::Ok(())
            })
        });
        // A database that stays behind on a server of one's own is untidy, not wrong.
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("a test database was not dropped: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn the_database_of_a_url_is_replaced_and_its_options_are_kept() {
        assert_eq!(with_database("postgres://u:p@h:1/old", "new"), "postgres://u:p@h:1/new");
        assert_eq!(with_database("postgres://h", "new"), "postgres://h/new");
        assert_eq!(with_database("postgres://h/old?sslmode=require", "n"), "postgres://h/n?sslmode=require");
    }
}
