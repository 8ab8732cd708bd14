//! The ledger behind the service's back: to look at what is announced, and to break what the audit must find.

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::shop::{PATIENCE, Shop};

impl Shop {
    /// Runs a statement on the ledger behind the service's back. `{schema}` stands for what Postgres needs.
    pub(crate) async fn execute_sql(&self, sql: &str) {
        match &self.database {
            Some(database) => {
                let sql = sql.replace("{schema}", "inventory_service_schema.");
                let mut connection =
                    PgConnection::connect(&database.url).await.expect("the database answers");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it works");
            }
            None => {
                let sql = sql.replace("{schema}", "");
                let mut connection = self.sqlite().await;
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it works");
            }
        }
    }

    async fn sqlite(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.sqlite_file()).busy_timeout(PATIENCE);
        SqliteConnection::connect_with(&options).await.expect("the ledger's file opens")
    }

    /// The messages about one order or product on one topic, oldest first.
    pub(crate) async fn announced(&self, topic: &str, aggregate: &str) -> Vec<Value> {
        let payloads: Vec<Vec<u8>> = match &self.database {
            Some(database) => {
                let mut connection =
                    PgConnection::connect(&database.url).await.expect("the database answers");
                let sql = "SELECT payload FROM inventory_service_schema.outbox \
                           WHERE topic = $1 AND aggregateid = $2 ORDER BY seq";
                sqlx::query_scalar(sql).bind(topic).bind(aggregate).fetch_all(&mut connection).await
            }
            None => {
                let mut connection = self.sqlite().await;
                let sql = "SELECT payload FROM outbox WHERE topic = ?1 AND aggregateid = ?2 ORDER BY seq";
                sqlx::query_scalar(sql).bind(topic).bind(aggregate).fetch_all(&mut connection).await
            }
        }
        .expect("the outbox is readable");
        payloads.iter().map(|payload| serde_json::from_slice(payload).expect("a message is JSON")).collect()
    }

    /// What a query on the embedded ledger counts.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.sqlite().await).await.expect("a number")
    }
}
