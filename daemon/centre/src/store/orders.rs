//! Orders that operators' tools put into the ledger's file while a centre runs on it.
//!
//! Whoever may write the file may order: its permissions are the gate. The running centre notices within a second, sends
//! the order until it is answered or expires, and writes the answer back. An order placed while no centre runs is sent by
//! the next one.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use vedette_delivery::GatewayId;
use vedette_delivery::ledger::{GatewayRecord, OrderRecord};
use vedette_delivery::store::StoreError;

use super::{STEPS, SqliteLedger, json, text};

impl SqliteLedger {
    /// Places an order in the file of a centre.
    ///
    /// # Errors
    /// When there is no ledger of this version, or it cannot be written.
    pub fn place_order(path: &Path, record: &OrderRecord) -> Result<(), StoreError> {
        let ledger = Self::new(path);
        let open = || -> rusqlite::Result<(Connection, i64)> {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, version))
        };
        let (connection, got) = open().map_err(|error| ledger.error("opening", &error))?;
        let expected = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
        if got != expected {
            return Err(StoreError::Version { path: path.display().to_string(), got, expected });
        }
        let (gateway, id) = (record.gateway.as_str(), &record.order.command.id);
        let insert = "INSERT INTO command VALUES (?1, ?2, ?3, 1)";
        connection
            .execute(insert, params![gateway, id, text(record)])
            .map_err(|error| ledger.error("placing an order", &error))?;
        Ok(())
    }

    /// All orders ever placed, by gateway and id.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn orders(path: &Path) -> Result<Vec<OrderRecord>, StoreError> {
        let read = || {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            select(&connection, "SELECT record FROM command ORDER BY gateway, id")
        };
        read().map_err(|error| Self::new(path).error("reading orders", &error))
    }

    /// One order; none when it was never placed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn order(path: &Path, gateway: &GatewayId, id: &str) -> Result<Option<OrderRecord>, StoreError> {
        let read = || {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let key = params![gateway.as_str(), id];
            let select = "SELECT record FROM command WHERE gateway = ?1 AND id = ?2";
            connection.query_row(select, key, |row| json(row, 0)).optional()
        };
        read().map_err(|error| Self::new(path).error("reading an order", &error))
    }

    /// What is known of each gateway.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn gateways(path: &Path) -> Result<Vec<GatewayRecord>, StoreError> {
        let read = || -> rusqlite::Result<Vec<GatewayRecord>> {
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?
                .prepare("SELECT record FROM gateway ORDER BY gateway")?
                .query_map([], |row| json(row, 0))?
                .collect()
        };
        read().map_err(|error| Self::new(path).error("reading gateways", &error))
    }

    /// Open orders, when another process has written to the file since the last call; else nothing.
    pub(crate) fn placed_orders(&mut self) -> Result<Vec<OrderRecord>, StoreError> {
        if self.connection.is_none() {
            return Ok(Vec::new());
        }
        let seen = self.seen;
        let (now, orders) = self.with("looking for orders", |connection| {
            let now: i64 = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
            let orders = if seen == Some(now) {
                Vec::new()
            } else {
                select(connection, "SELECT record FROM command WHERE open ORDER BY gateway, id")?
            };
            Ok((now, orders))
        })?;
        self.seen = Some(now);
        Ok(orders)
    }
}

fn select(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<OrderRecord>> {
    connection.prepare(sql)?.query_map([], |row| json(row, 0))?.collect()
}
