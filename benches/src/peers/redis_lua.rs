//! (d) Redis: stock, hold and the end of the hold in one Lua script, by its hash (`EVALSHA`), on a server that flushes its
//! append-only file before it answers.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use inventory_core::ids::ProductId;
use inventory_core::limits::UNITS_MAX;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, AsyncConnectionConfig, Script};

use super::{Answer, Client, Peer};
use crate::workload::{Request, Workload};

/// Keys: the hold, the ends of holds, the stock of each product. Arguments: seconds, then of each product its id and how many.
/// A repeat changes nothing.
const SCRIPT: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 then return 2 end
for i = 3, #KEYS do
    if tonumber(redis.call('GET', KEYS[i]) or '0') < tonumber(ARGV[2 * i - 3]) then return 0 end
end
for i = 3, #KEYS do redis.call('DECRBY', KEYS[i], ARGV[2 * i - 3]) end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('ZADD', KEYS[2], redis.call('TIME')[1] + ARGV[1], KEYS[1])
return 1";
const HOLD_SECONDS: u32 = 900;
/// A slow disk is slow, not an error.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Products in one command.
const CHUNK: usize = 1_000;

/// A server.
#[derive(Debug)]
pub struct RedisLua {
    client: redis::Client,
    products: Vec<String>,
}

/// One connection.
pub struct Buyer {
    connection: MultiplexedConnection,
    script: Script,
}

impl RedisLua {
    /// Stocks an empty server and loads the script.
    pub async fn prepare(url: &str, workload: &Workload) -> Result<Self> {
        let client = redis::Client::open(url)?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let products: Vec<String> = workload.products().iter().map(|product| stock(*product)).collect();
        for chunk in products.chunks(CHUNK) {
            let levels: Vec<(&String, i64)> = chunk.iter().map(|product| (product, UNITS_MAX)).collect();
            let () = connection.mset(&levels).await?;
        }
        Script::new(SCRIPT).load_async(&mut connection).await?;
        Ok(Self { client, products })
    }
}

impl RedisLua {
    /// What the server is.
    pub async fn version(url: &str) -> Result<String> {
        let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        let told: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        let version = told.lines().find_map(|line| line.strip_prefix("redis_version:"));
        Ok(version.context("the server does not say its version")?.to_owned())
    }
}

impl Peer for RedisLua {
    type Client = Buyer;

    async fn connect(&self) -> Result<Buyer> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWERS_WITHIN));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Buyer { connection, script: Script::new(SCRIPT) })
    }

    async fn taken(&self) -> Result<Option<i64>> {
        let mut connection = self.client.get_multiplexed_async_connection().await?;
        let mut taken = 0;
        for chunk in self.products.chunks(CHUNK) {
            let levels: Vec<i64> = connection.mget(chunk).await?;
            taken += levels.into_iter().map(|level| UNITS_MAX - level).sum::<i64>();
        }
        Ok(Some(taken))
    }
}

impl Client for Buyer {
    async fn reserve(&mut self, request: Request) -> Result<Answer> {
        let mut call = self.script.key(format!("hold:{}", request.order));
        call.key("ends").arg(HOLD_SECONDS);
        for line in request.lines.iter() {
            call.key(stock(line.product)).arg(line.product.get()).arg(line.quantity.get());
        }
        match call.invoke_async(&mut self.connection).await? {
            0 => Ok(Answer::Refused),
            1 => Ok(Answer::Held),
            other => bail!("the script answered {other} to an order that nobody had before"),
        }
    }
}

fn stock(product: ProductId) -> String {
    format!("stock:{product}")
}
