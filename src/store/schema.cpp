// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/schema.hpp"

#include <array>
#include <string>

namespace syncline::store {
namespace {

// Instants are milliseconds since 1970 in UTC. Enumerations are their numbers in the headers; never renumber
// those. Rows of `record` are never removed, so ids and change numbers grow without AUTOINCREMENT.
constexpr Sql version_1 = R"sql(
CREATE TABLE organisation (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  id TEXT NOT NULL
) STRICT;

CREATE TABLE setting (name TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE profile (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  json TEXT NOT NULL
) STRICT;

CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL UNIQUE,
  profile INTEGER REFERENCES profile (id),
  enabled INTEGER NOT NULL,
  json TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;
CREATE INDEX mailbox_by_profile ON mailbox (profile);

CREATE TABLE sealed (name TEXT PRIMARY KEY, octets BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- What is looked for in fields stands beside them: message_key (of appointments of the UID) and
-- conversation_key of e-mails are lookup_key()s, token and status (of outgoing ones) are texts. fields comes
-- last: it may continue on pages that only its readers need.
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  external_id TEXT,
  owner TEXT NOT NULL,
  version INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  change INTEGER NOT NULL,
  message_key INTEGER,
  token TEXT,
  conversation_key INTEGER,
  status TEXT,
  changed_at INTEGER NOT NULL,
  fields TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_by_change ON record (change);
CREATE UNIQUE INDEX record_by_external_id ON record (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX record_by_owner ON record (owner, kind, deleted);
CREATE INDEX record_by_message ON record (message_key) WHERE message_key IS NOT NULL;
CREATE INDEX record_by_token ON record (token) WHERE token IS NOT NULL;
CREATE INDEX record_by_conversation ON record (conversation_key) WHERE conversation_key IS NOT NULL;
CREATE INDEX record_by_status ON record (status, owner) WHERE status IS NOT NULL;

-- Who stands in which record: lookup_key() of the address in lower case. rank: 0 contacts, so that they come
-- first; others their kind + 1.
CREATE TABLE address (
  address INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  record INTEGER NOT NULL,
  PRIMARY KEY (address, rank, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_content (
  record INTEGER NOT NULL REFERENCES record (id),
  sha256 BLOB NOT NULL,
  octets INTEGER NOT NULL,
  PRIMARY KEY (record, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_content_by_sha256 ON record_content (sha256);

-- Folders' ids are long and stand in thousands of links.
CREATE TABLE folder (
  id INTEGER PRIMARY KEY,
  mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  UNIQUE (mailbox, name)
) STRICT;

-- A first synchronisation is made of inserts here: each index, and each reference that only our own code
-- fills (folder, address.record), was weighed against its microseconds. stale_since: number of the record's
-- latest change, if that is younger than what both sides agreed on. search_id: lookup_key(). base: if it is
-- short (of e-mails it always is); else it stands in link_base.
CREATE TABLE link (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  record INTEGER NOT NULL REFERENCES record (id),
  mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
  kind INTEGER NOT NULL,
  folder INTEGER NOT NULL,
  state INTEGER NOT NULL,
  record_version INTEGER NOT NULL,
  stale_since INTEGER,
  held_in_run INTEGER NOT NULL,
  remote_id TEXT NOT NULL,
  remote_version TEXT NOT NULL,
  search_key TEXT NOT NULL,
  search_id INTEGER,
  base TEXT
) STRICT;
CREATE UNIQUE INDEX link_by_remote_id ON link (mailbox, remote_id) WHERE remote_id <> '';
CREATE INDEX link_by_search_key ON link (mailbox, search_id) WHERE search_id IS NOT NULL;
CREATE INDEX link_by_record ON link (record);
CREATE INDEX link_by_folder ON link (mailbox, kind, folder, state);
CREATE INDEX link_stale ON link (mailbox, kind, stale_since) WHERE stale_since IS NOT NULL;
CREATE INDEX link_held ON link (mailbox) WHERE state = 1;

-- Apart from link: versions and states change often, and rows of keys are to lie close together.
CREATE TABLE link_base (
  link INTEGER PRIMARY KEY REFERENCES link (id) ON DELETE CASCADE,
  base TEXT NOT NULL
) STRICT;

CREATE TABLE cursor (
  mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
  folder TEXT NOT NULL,
  complete INTEGER NOT NULL,
  resynced_at INTEGER,
  text TEXT NOT NULL,
  notes TEXT NOT NULL,
  PRIMARY KEY (mailbox, folder)
) STRICT;

CREATE TABLE operation (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
  record INTEGER REFERENCES record (id),
  link INTEGER REFERENCES link (id) ON DELETE SET NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  saved_at INTEGER,
  not_before INTEGER,
  created_at INTEGER NOT NULL,
  what TEXT NOT NULL,
  progress TEXT NOT NULL,
  error TEXT NOT NULL,
  result_id TEXT NOT NULL,
  "order" TEXT NOT NULL
) STRICT;
CREATE INDEX operation_by_state ON operation (state);
CREATE INDEX operation_unfinished ON operation (mailbox) WHERE state < 3;
CREATE INDEX operation_by_mailbox ON operation (mailbox);
CREATE INDEX operation_by_record ON operation (record) WHERE record IS NOT NULL;
CREATE INDEX operation_by_link ON operation (link) WHERE link IS NOT NULL;

CREATE TABLE journal (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  record INTEGER NOT NULL,
  event TEXT NOT NULL,
  reason TEXT NOT NULL,
  item TEXT NOT NULL,
  message_id TEXT NOT NULL,
  text TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_mailbox ON journal (mailbox);
CREATE INDEX journal_by_record ON journal (record) WHERE record <> 0;
CREATE INDEX journal_by_item ON journal (item) WHERE item <> '';
CREATE INDEX journal_by_message_id ON journal (message_id) WHERE message_id <> '';

CREATE TABLE quarantine (
  mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
  item TEXT NOT NULL,
  folder TEXT NOT NULL,
  item_version TEXT NOT NULL,
  code TEXT NOT NULL,
  text TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_tried INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  replay INTEGER NOT NULL,
  PRIMARY KEY (mailbox, item)
) STRICT;

CREATE TABLE alert (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  level INTEGER NOT NULL,
  code TEXT NOT NULL,
  text TEXT NOT NULL,
  remedy TEXT NOT NULL,
  count INTEGER NOT NULL,
  open INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX alert_open ON alert (mailbox, code) WHERE open = 1;

CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  act TEXT NOT NULL,
  object TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit is kept');
END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit is not changed');
END;
)sql";

constexpr Sql version_2 = R"sql(
-- Nothing asked for it.
ALTER TABLE link DROP COLUMN held_in_run;

-- Test and enable: the latest test of each mailbox, waiting, at work or done. report is the service's JSON.
-- runner: who takes it from the queue. due_at: when it begins, or is tried again.
CREATE TABLE mailbox_test (
  mailbox INTEGER PRIMARY KEY REFERENCES mailbox (id) ON DELETE CASCADE,
  state INTEGER NOT NULL,
  runner TEXT NOT NULL,
  enable INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  requested_at INTEGER NOT NULL,
  requested_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  due_at INTEGER,
  ended_at INTEGER,
  report TEXT NOT NULL
) STRICT;
CREATE INDEX mailbox_test_due ON mailbox_test (runner, due_at) WHERE due_at IS NOT NULL;

-- What people said of an alert.
CREATE TABLE alert_note (
  alert INTEGER PRIMARY KEY REFERENCES alert (id) ON DELETE CASCADE,
  acknowledged_at INTEGER NOT NULL,
  acknowledged_by TEXT NOT NULL,
  note TEXT NOT NULL
) STRICT;

-- Alerts on their way to people. cause: what it tells, so that it is told once. operation: of mail, which
-- goes out as any other.
CREATE TABLE alert_message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cause TEXT NOT NULL,
  channel TEXT NOT NULL,
  target TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER,
  operation TEXT NOT NULL,
  error TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX alert_message_due ON alert_message (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alert_message_by_cause ON alert_message (cause, channel, target);

-- Where each mailbox was found, and since when it is parked because it lives elsewhere.
CREATE TABLE placement (
  mailbox INTEGER PRIMARY KEY REFERENCES mailbox (id) ON DELETE CASCADE,
  looked_at INTEGER NOT NULL,
  parked_at INTEGER,
  parked_why TEXT NOT NULL,
  facts TEXT NOT NULL,
  error TEXT NOT NULL
) STRICT;

-- The HTTP API. Of a token only the SHA-256 is kept: it is 256 random bits, there is nothing to guess.
CREATE TABLE api_token (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  role INTEGER NOT NULL,
  owner TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT;

-- Answers to POSTs that bore an Idempotency-Key; request is the SHA-256 of what was asked.
CREATE TABLE api_answer (
  token INTEGER NOT NULL REFERENCES api_token (id),
  key TEXT NOT NULL,
  request BLOB NOT NULL,
  at INTEGER NOT NULL,
  status INTEGER NOT NULL,
  header TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (token, key)
) STRICT;
CREATE INDEX api_answer_by_age ON api_answer (at);

-- Who is told of changes of records. delivered: number of the last change that the receiver has taken.
CREATE TABLE webhook (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  url TEXT NOT NULL,
  kinds INTEGER NOT NULL,
  owner TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  failing_since INTEGER,
  next_try_at INTEGER,
  last_delivered_at INTEGER,
  last_error TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL
) STRICT;
)sql";

constexpr Sql version_3 = R"sql(
-- Which records a mailbox has copies of, in the order of their ids: what its owner may read. Costs 0.7
-- microseconds for each link; without it a page takes as long as the mailbox has links.
CREATE INDEX link_live ON link (mailbox, kind, record) WHERE state <> 2;

-- What the last look came to, and who asks for another one. looked_at: NULL until the first has ended.
CREATE TABLE placement_3 (
  mailbox INTEGER PRIMARY KEY REFERENCES mailbox (id) ON DELETE CASCADE,
  looked_at INTEGER,
  state INTEGER NOT NULL,
  text TEXT NOT NULL,
  facts TEXT NOT NULL,
  parked_at INTEGER,
  parked_why TEXT NOT NULL,
  requested_at INTEGER,
  requested_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  follow INTEGER NOT NULL
) STRICT;
-- Who was found and is not parked fits, or was disabled and elsewhere: which of them the next look says.
INSERT INTO placement_3
  SELECT mailbox, looked_at, CASE WHEN error <> '' THEN 3 WHEN parked_at IS NOT NULL THEN 2 ELSE 0 END,
    CASE WHEN error <> '' THEN error ELSE parked_why END, facts, parked_at, parked_why, NULL, '', '', 0
  FROM placement;
DROP TABLE placement;
ALTER TABLE placement_3 RENAME TO placement;
CREATE INDEX placement_requested ON placement (requested_at) WHERE requested_at IS NOT NULL;
)sql";

constexpr std::array all_migrations = {Migration{1, version_1}, Migration{2, version_2},
                                       Migration{3, version_3}};
static_assert(all_migrations.back().to == Store::schema_version);

/// Rolls back unless told that all went well.
class SchemaTransaction {
 public:
  explicit SchemaTransaction(sqlite3* handle) : handle_(handle) {}
  SchemaTransaction(const SchemaTransaction&) = delete;
  SchemaTransaction& operator=(const SchemaTransaction&) = delete;
  ~SchemaTransaction() {
    if (!sqlite3_get_autocommit(handle_)) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
    sqlite3_exec(handle_, "PRAGMA foreign_keys=ON", nullptr, nullptr, nullptr);
  }

 private:
  sqlite3* handle_;
};

}  // namespace

std::span<const Migration> migrations() noexcept {
  return all_migrations;
}

Error newer_schema(const std::string& path, int newer, int ours) {
  Error error;
  error.domain = ErrorDomain::local;
  error.code = "newer-schema";
  error.message = path + " was written by a newer Syncline (schema " + std::to_string(newer) +
                  ", this program knows " + std::to_string(ours) + "); use that one";
  return error;
}

Result<SchemaVersion> read_schema_version(sqlite3* handle) {
  auto version = pragma_integer(handle, "PRAGMA user_version");
  if (!version) return fail(std::move(version.error()));
  auto application = pragma_integer(handle, "PRAGMA application_id");
  if (!application) return fail(std::move(application.error()));
  auto tables = pragma_integer(handle, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return fail(std::move(tables.error()));
  SchemaVersion found;
  found.empty = *version == 0 && *tables == 0;
  if (!found.empty && *application != application_id)
    return fail(ErrorDomain::local, "store-damaged", "the file is a database of some other program");
  if (*version < 0 || *version > 1'000'000)
    return fail(ErrorDomain::local, "store-damaged", "the store has an impossible schema version");
  found.version = static_cast<int>(*version);
  return found;
}

Result<void> migrate(sqlite3* handle, const std::string& path, std::span<const Migration> steps,
                     DurableWrites* writes) {
  const int ours = steps.empty() ? 0 : steps.back().to;
  auto found = read_schema_version(handle);
  if (!found) return fail(std::move(found.error()));
  if (found->version > ours) return fail(newer_schema(path, found->version, ours));
  if (found->version == ours) return {};
  if (!found->empty) {
    auto copied = copy_database(handle, path + ".before-" + std::to_string(found->version));
    if (!copied)
      return fail(std::move(copied.error()).during("keeping the store as it was before its migration"));
  }

  // A step may put a table in another one's place; what refers to it is checked at the end. Not to be
  // switched within a transaction.
  if (auto off = run_script(handle, "PRAGMA foreign_keys=OFF"); !off) return off;
  const SchemaTransaction transaction(handle);
  if (auto begun = run_script(handle, "BEGIN IMMEDIATE"); !begun) return begun;
  // Somebody else may have done it in the meantime.
  found = read_schema_version(handle);
  if (!found) return fail(std::move(found.error()));
  if (found->version > ours) return fail(newer_schema(path, found->version, ours));
  if (found->version == ours) return {};
  for (const Migration& step : steps) {
    if (step.to <= found->version) continue;
    if (auto done = run_script(handle, step.sql); !done)
      return fail(std::move(done.error()).during("migrating the store to schema " + std::to_string(step.to)));
  }
  auto violations = pragma_integer(handle, "SELECT count(*) FROM pragma_foreign_key_check");
  if (!violations) return fail(std::move(violations.error()));
  if (*violations != 0)
    return fail(ErrorDomain::local, "store-damaged",
                "the store holds rows that refer to nothing; restore a backup");
  const std::string marks = "PRAGMA application_id=" + std::to_string(application_id) +
                            "; PRAGMA user_version=" + std::to_string(ours);
  if (auto marked = run_script(handle, marks.c_str()); !marked) return marked;
  if (writes)
    if (auto allowed = writes->before("schema"); !allowed) return allowed;
  if (auto committed = run_script(handle, "COMMIT"); !committed) return committed;
  return writes ? writes->after("schema") : Result<void>();
}

}  // namespace syncline::store
