//! `holdfast dlq list|show|redrive|discard|unpark`: the events that were given up, over Kafka, or over the local log beside the process that
//! uses the data folder.

mod queues;
mod settle;
mod show;
mod told;
mod unpark;

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context;
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{DeadLetter, DeadLetters, LocalLog, LocalOptions, Selection, Transport};

use self::queues::Queue;
use self::settle::Deed;
use crate::Verdict;
use crate::cli::{DlqVerb, LettersArgs, UnparkArgs};
use crate::config::Settings;

/// Does what was asked for.
pub(super) async fn run(settings: &Settings, verb: &DlqVerb) -> anyhow::Result<Verdict> {
    // Before anything is asked over a network: what makes no sense is said at once.
    let queues = match verb {
        DlqVerb::List(letters) => queues::chosen(letters),
        DlqVerb::Show(args) => queues::chosen(&args.letters),
        DlqVerb::Redrive(args) => queues::chosen(&args.letters),
        DlqVerb::Discard(args) => queues::chosen(&args.letters),
        DlqVerb::Unpark(UnparkArgs { topic, group, .. }) => queues::chosen(&LettersArgs {
            topic: Some(topic.clone()),
            group: Some(group.clone()),
            ..LettersArgs::default()
        }),
    }?;
    if let DlqVerb::Discard(args) = verb {
        settle::check(args)?;
    }
    let post = Post::open(settings).await?;
    let done = act(&post, &queues, verb, &mut io::stdout()).await;
    post.close().await;
    done
}

async fn act(
    post: &Post,
    queues: &[Queue],
    verb: &DlqVerb,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Verdict> {
    match verb {
        DlqVerb::List(letters) => list(post, queues, letters, out).await,
        DlqVerb::Show(args) => show::run(post, queues, args, out).await,
        DlqVerb::Redrive(args) => {
            settle::run(post, queues, (Deed::SendBack, &args.letters, args.dry_run), out).await
        }
        DlqVerb::Discard(args) => {
            settle::run(post, queues, (Deed::Discard, &args.letters, args.dry_run), out).await
        }
        DlqVerb::Unpark(args) => unpark::run(post, queues, &args.key, out).await,
    }
}

/// Letters that wait are findings: something is to be done about them.
async fn list(
    post: &Post,
    queues: &[Queue],
    letters: &LettersArgs,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Verdict> {
    let mut left = letters.max;
    let mut none = true;
    for queue in queues {
        let found = post.letters(queue).list(&selection(letters, left, false)).await?;
        take(&mut left, found.len());
        if !found.is_empty() {
            none = false;
            writeln!(out, "{}", told::title(queue, found.len()))?;
            write(out, &found)?;
        }
    }
    if none {
        writeln!(out, "no dead letters wait")?;
    }
    Ok(if none { Verdict::Done } else { Verdict::Findings })
}

fn write(out: &mut (dyn Write + Send), letters: &[DeadLetter]) -> io::Result<()> {
    letters.iter().try_for_each(|letter| writeln!(out, "{}", told::line(letter)))
}

fn selection(letters: &LettersArgs, max: Option<usize>, dry_run: bool) -> Selection {
    Selection { key: letters.key.clone(), max, dry_run }
}

/// What is left of `--max` after so many.
fn take(left: &mut Option<usize>, count: usize) {
    if let Some(left) = left {
        *left = left.saturating_sub(count);
    }
}

/// Where the letters are.
struct Post {
    transport: Arc<dyn Transport>,
    log: Option<LocalLog>,
}

impl Post {
    async fn open(settings: &Settings) -> anyhow::Result<Self> {
        if let Some(brokers) = &settings.kafka_brokers {
            let kafka = KafkaTransport::new(KafkaOptions::new(brokers, "holdfast-dlq"))?;
            return Ok(Self { transport: Arc::new(kafka), log: None });
        }
        let log = LocalLog::open_beside(&settings.data_dir, LocalOptions::default()).await.context(
            "there is no log of events here: set DATA_DIR to the data folder of the service, or KAFKA_BROKERS if it uses Kafka",
        )?;
        Ok(Self { transport: Arc::new(log.clone()), log: Some(log) })
    }

    fn letters(&self, queue: &Queue) -> DeadLetters {
        DeadLetters::new(self.transport.clone(), queue.topic, queue.group)
    }

    async fn close(self) {
        if let Some(log) = self.log {
            log.close().await;
        }
    }
}
