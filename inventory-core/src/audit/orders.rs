//! Reservations, merged with the journal's commands on them.

use super::is_pruned;
use super::life::{Life, OrderCommand, UnitLines, show};
use super::report::{AuditReport, Check, Subject};
use super::rows::Rows;
use crate::ids::OrderId;
use crate::reservation::Status;
use crate::store::StoreError;
use crate::store::audit_rows::{CommandLineRow, ReservationRow, Snapshot, Watermarks};

/// Violations of one order's life that are reported; the rest follows from the first.
const PROBLEMS_MAX: usize = 3;

/// Checks every order of the open piece.
pub(super) async fn check(
    snapshot: &mut dyn Snapshot,
    marks: &Watermarks,
    report: &mut AuditReport,
) -> Result<(), StoreError> {
    let mut reservations = Rows::new(|s| s.reservations());
    let mut commands = Rows::new(|s| s.command_lines());
    loop {
        let reserved = reservations.peek(snapshot).await?.map(|row: &ReservationRow| row.order);
        let commanded = commands.peek(snapshot).await?.map(|row: &CommandLineRow| row.order);
        let Some(order) = reserved.into_iter().chain(commanded).min() else { return Ok(()) };
        let row = reservations.next_if(snapshot, |row| row.order == order).await?;
        let mut folding = Folding::new(order, row.as_ref(), marks);
        while let Some(command) = next_command(&mut commands, snapshot, order).await? {
            report.checked.commands += 1;
            folding.push(&command, report);
        }
        let life = folding.life;
        match row {
            Some(row) => {
                report.checked.reservations += 1;
                check_shape(&row, report);
                check_state(&row, life.as_ref(), marks, report);
            }
            None => check_absent(order, life.as_ref(), marks, report),
        }
    }
}

/// The next command of this order, its lines gathered.
async fn next_command(
    rows: &mut Rows<CommandLineRow>,
    snapshot: &mut dyn Snapshot,
    order: OrderId,
) -> Result<Option<OrderCommand>, StoreError> {
    let Some(first) = rows.next_if(snapshot, |row| row.order == order).await? else { return Ok(None) };
    let mut command = OrderCommand {
        at: first.at,
        batch: first.batch,
        position: first.position,
        kind: first.kind,
        customer: first.customer,
        lines: first.line.into_iter().collect(),
    };
    let key = (order, command.batch, command.position);
    while let Some(row) = rows.next_if(snapshot, |row| (row.order, row.batch, row.position) == key).await? {
        command.lines.extend(row.line);
    }
    Ok(Some(command))
}

struct Folding<'m> {
    order: OrderId,
    marks: &'m Watermarks,
    /// Whether the journal of the order's beginning may be gone.
    is_given: bool,
    life: Option<Life>,
    problems: usize,
}

impl<'m> Folding<'m> {
    fn new(order: OrderId, row: Option<&ReservationRow>, marks: &'m Watermarks) -> Self {
        let is_given = row.map_or(marks.journal.is_some(), |row| is_pruned(row.created_at, marks.journal));
        Self { order, marks, is_given, life: None, problems: 0 }
    }

    fn push(&mut self, command: &OrderCommand, report: &mut AuditReport) {
        // Pruning may have left some of the older commands: none of them counts.
        if is_pruned(command.at, self.marks.journal) {
            return;
        }
        let is_birth = super::life::is_birth(command.kind);
        let life = self
            .life
            .get_or_insert_with(|| if self.is_given && !is_birth { Life::given() } else { Life::default() });
        if let Err(problem) = life.apply(command, self.marks) {
            self.problems += 1;
            if self.problems <= PROBLEMS_MAX {
                report.add(Check::OrderLife, Subject::Order(self.order), problem);
            }
        }
    }
}

/// What a row must be whatever its commands were.
fn check_shape(row: &ReservationRow, report: &mut AuditReport) {
    let mut add = |detail: String| report.add(Check::OrderShape, Subject::Order(row.order), detail);
    let status = Status::from_code(row.status);
    if status.is_none() {
        add(format!("unknown status {}", row.status));
    }
    match &row.lines {
        Err(problem) => add(format!("lines that cannot be read: {problem}")),
        Ok(lines) => {
            if !lines.is_sorted_by(|a, b| a.product < b.product) {
                add("lines out of product order".to_owned());
            }
            for line in lines.iter().filter(|l| l.requested <= 0 || !(0..=l.requested).contains(&l.remaining))
            {
                add(format!(
                    "product {}: {} requested, {} remaining",
                    line.product, line.requested, line.remaining
                ));
            }
            if lines.is_empty() && status != Some(Status::Released) {
                add("no lines, and it is no tombstone".to_owned());
            }
        }
    }
    if row.expires_at < row.created_at || row.expires_at > row.expires_at_max {
        add(format!(
            "created at {}, expires at {}, at most {}",
            row.created_at, row.expires_at, row.expires_at_max
        ));
    }
    if (status == Some(Status::Held)) != row.ended_at.is_none() {
        let ended = row.ended_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        add(format!("{}, ended: {ended}", status.map_or("unknown", Status::name)));
    }
}

/// What a row must be because of its commands.
fn check_state(row: &ReservationRow, life: Option<&Life>, marks: &Watermarks, report: &mut AuditReport) {
    let subject = Subject::Order(row.order);
    let Some(life) = life else {
        if !is_pruned(row.created_at, marks.journal) {
            report.add(Check::OrderMissing, subject, "a reservation without a journal");
        }
        return;
    };
    let mut add = |detail: String| report.add(Check::OrderState, subject.clone(), detail);
    if let Some(status) = life.status
        && i64::from(status.code()) != row.status
    {
        let now = Status::from_code(row.status).map_or("unknown", Status::name);
        add(format!("{now}, but its commands made it {}", status.name()));
    }
    check_lines(row, life, &mut add);
    if let Some(birth) = &life.birth {
        if birth.at != row.created_at {
            add(format!("created at {}, but reserved at {}", row.created_at, birth.at));
        }
        if birth.customer != row.customer {
            add(format!("customer {:?}, but reserved by {:?}", row.customer, birth.customer));
        }
    }
    check_times(row, life, &mut add);
}

fn check_lines(row: &ReservationRow, life: &Life, add: &mut impl FnMut(String)) {
    let Ok(lines) = &row.lines else { return };
    let requested: UnitLines = lines.iter().map(|line| (line.product, line.requested)).collect();
    let remaining: UnitLines =
        lines.iter().map(|line| (line.product, line.remaining)).filter(|(_, units)| *units != 0).collect();
    if let Some(birth) = &life.birth
        && birth.requested != requested
    {
        add(format!("requested {}, but reserved {}", show(&requested), show(&birth.requested)));
    }
    if let Some(left) = &life.lines
        && *left != remaining
    {
        add(format!("remaining {}, but its commands left {}", show(&remaining), show(left)));
    }
}

fn check_times(row: &ReservationRow, life: &Life, add: &mut impl FnMut(String)) {
    // A given life knows when the hold ended only if it saw that happen.
    if let Some(ended_at) = life.ended_at
        && row.ended_at != Some(ended_at)
    {
        let row_says = row.ended_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        add(format!("ended: {row_says}, but its commands ended it at {ended_at}"));
    }
    if let Some(expired_at) = life.expired_at
        && expired_at < row.expires_at
    {
        add(format!("expires at {}, but was expired at {expired_at}", row.expires_at));
    }
    let late = match life.committed_at {
        Some(at) => at >= row.expires_at,
        None => life.is_late,
    };
    if life.status.is_some() && row.late != late {
        add(format!(
            "late: {}, but its commands say {late} (expires at {}, committed at {})",
            row.late,
            row.expires_at,
            life.committed_at.map_or_else(|| "no time before expiry".to_owned(), |at| at.to_string())
        ));
    }
}

/// Commands without a reservation: it ended and was pruned, or it is missing.
fn check_absent(order: OrderId, life: Option<&Life>, marks: &Watermarks, report: &mut AuditReport) {
    let Some(life) = life else { return };
    if life.may_be_pruned(marks) || (life.is_given && life.ended_at.is_none() && marks.reservations.is_some())
    {
        return;
    }
    let status = life.status.map_or("unknown", Status::name);
    report.add(
        Check::OrderMissing,
        Subject::Order(order),
        format!("its commands made it {status}, but it is gone"),
    );
}
