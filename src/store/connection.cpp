// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/connection.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "store/files.hpp"

namespace syncline::store {
namespace {

/// How long a connection waits for another one's write, before it is "store-locked".
constexpr int busy_timeout_ms = 10'000;

bool is_no_space(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

bool is_no_permission(int error_number) {
  return error_number == EACCES || error_number == EROFS || error_number == EPERM;
}

/// For SQLite's "file:" names (RFC 3986): everything but the plainest characters as %XX.
std::string uri_of(const std::string& path, const char* query) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    if (plain)
      uri += c;
    else
      uri.append({'%', digits[octet >> 4], digits[octet & 15]});
  }
  return uri + query;
}

}  // namespace

Error sqlite_error(sqlite3* handle, int code, std::string_view doing) {
  Error error;
  error.domain = ErrorDomain::local;
  // SQLite 3.40 does not note every write's errno; the callers here clear it before they ask SQLite for
  // anything.
  const int plain_errno = errno;
  const int noted_errno = handle ? sqlite3_system_errno(handle) : 0;
  const int system_error = noted_errno != 0 ? noted_errno : plain_errno;
  const int extended =
      handle && sqlite3_extended_errcode(handle) != SQLITE_OK ? sqlite3_extended_errcode(handle) : code;
  std::string said = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      error.code = "store-locked";
      error.message = "another program is writing to the store";
      error.retry = RetryClass::after;
      break;
    case SQLITE_FULL:
      error.code = "disk-full";
      error.message = "there is no space left for the store";
      error.retry = RetryClass::after;
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      error.code = "store-damaged";
      error.message = "the store is damaged (" + said + "); restore a backup";
      break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      error.code = "read-only";
      error.message = "the store cannot be written to: " + said;
      break;
    case SQLITE_CONSTRAINT:
      if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY)
        error.code = "already-there";
      else if (extended == SQLITE_CONSTRAINT_FOREIGNKEY)
        error.code = "no-reference";
      else
        error.code = "constraint";
      error.message = "the store refuses a row: " + said;
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      if (is_no_space(system_error)) {
        error.code = "disk-full";
        error.message = "there is no space left for the store";
        error.retry = RetryClass::after;
      } else if (is_no_permission(system_error)) {
        error.code = "read-only";
        error.message = "the store cannot be written to: " + said;
      } else {
        error.code = "io";
        error.message = "the store cannot be read or written: " + said;
      }
      break;
    default:
      error.code = "io";
      error.message = "the store cannot go on: " + said;
  }
  if (!doing.empty()) error.context.emplace_back(doing);
  return error;
}

Transaction::Impl::~Impl() {
  for (auto& [sql, cached] : statements_) sqlite3_finalize(cached.statement);
}

Result<Transaction::Impl::Cached*> Transaction::Impl::cached(Sql sql) {
  Cached& cached = statements_[sql];
  if (!cached.statement) {
    const int code =
        sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &cached.statement, nullptr);
    if (code != SQLITE_OK) return fail(sqlite_error(handle_.get(), code));
  }
  return &cached;
}

Query::Query(Transaction::Impl& connection, Sql sql, Copy copy)
    : connection_(connection), copy_texts_(copy.texts) {
  Result<Transaction::Impl::Cached*> cached = connection.cached(sql);
  if (cached && !(*cached)->in_use) {
    cached_ = *cached;
    cached_->in_use = true;
    statement_ = cached_->statement;
  } else {
    // The cached one is in the middle of its rows, or cannot be made; then this says why.
    note(sqlite3_prepare_v2(connection.handle(), sql, -1, &statement_, nullptr));
  }
}

Query::~Query() {
  if (cached_) {
    sqlite3_reset(statement_);
    cached_->in_use = false;
  } else {
    sqlite3_finalize(statement_);
  }
}

void Query::bind(int index, std::int64_t value) {
  if (code_ == SQLITE_OK) note(sqlite3_bind_int64(statement_, index, value));
}

void Query::bind(int index, std::string_view value) {
  if (code_ != SQLITE_OK) return;
  // A null pointer would be NULL, not an empty text.
  note(sqlite3_bind_text64(statement_, index, value.data() ? value.data() : "", value.size(),
                           copy_texts_ ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8));
}

void Query::bind(int index, Blob value) {
  if (code_ != SQLITE_OK) return;
  note(sqlite3_bind_blob64(statement_, index, value.octets.data() ? value.octets.data() : "",
                           value.octets.size(), copy_texts_ ? SQLITE_TRANSIENT : SQLITE_STATIC));
}

void Query::bind_null(int index) {
  if (code_ == SQLITE_OK) note(sqlite3_bind_null(statement_, index));
}

Result<bool> Query::next() {
  if (code_ != SQLITE_OK) return fail(sqlite_error(connection_.handle(), code_));
  errno = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  note(code);
  return fail(sqlite_error(connection_.handle(), code));
}

std::string_view Query::view(int column) const {
  // Blob first: the length in octets is that of what the pointer points to.
  const void* octets = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return octets ? std::string_view(static_cast<const char*>(octets), static_cast<std::size_t>(size))
                : std::string_view();
}

Result<Handle> open_database(const std::string& path, Access access) {
  // SQLite's count of its memory is under one mutex of the whole process, and nobody asks for it. Refused
  // where somebody else has begun to use SQLite: then it counts.
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
  sqlite3* raw = nullptr;
  errno = 0;
  int code = SQLITE_OK;
  // Without SQLite's own mutexes: a connection is used by one thread at a time.
  switch (access) {
    case Access::read_write:
      code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
      break;
    case Access::read_only:
      code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
      break;
    case Access::immutable:
      code = sqlite3_open_v2(uri_of(path, "?immutable=1").c_str(), &raw,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, nullptr);
      break;
  }
  Handle handle(raw);
  if (code != SQLITE_OK) return fail(sqlite_error(handle.get(), code, "opening " + path));
  sqlite3_extended_result_codes(handle.get(), 1);
  sqlite3_busy_timeout(handle.get(), busy_timeout_ms);
  return handle;
}

Result<void> run_script(sqlite3* handle, const char* sql) {
  errno = 0;
  const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(sqlite_error(handle, code));
  return {};
}

Result<std::int64_t> pragma_integer(sqlite3* handle, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  errno = 0;
  int code = sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr);
  std::int64_t value = 0;
  if (code == SQLITE_OK) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) value = sqlite3_column_int64(statement, 0);
  }
  const bool good = code == SQLITE_ROW || code == SQLITE_DONE;
  Result<std::int64_t> result = good ? Result<std::int64_t>(value) : fail(sqlite_error(handle, code));
  sqlite3_finalize(statement);
  return result;
}

Result<void> copy_database(sqlite3* from, const std::string& path) {
  const std::string partial = path + ".partial";
  const std::string folder = std::filesystem::path(path).parent_path();
  ::unlink(partial.c_str());
  const auto abandon = [&](Error error) -> Result<void> {
    ::unlink(partial.c_str());
    return fail(std::move(error).during("copying the store to " + path));
  };
  {
    const Descriptor file(::open(partial.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
    if (!file) return abandon(file_error(errno, "create " + partial));
  }
  {
    Result<Handle> to = open_database(partial, Access::read_write);
    if (!to) return abandon(std::move(to.error()));
    // Nobody sees the copy before it is whole and on the disk, so it needs no journal of its own.
    if (auto set = run_script(to->get(), "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"); !set)
      return abandon(std::move(set.error()));
    sqlite3_backup* backup = sqlite3_backup_init(to->get(), "main", from, "main");
    if (!backup) return abandon(sqlite_error(to->get(), sqlite3_errcode(to->get())));
    // In one step: then it is one reader's view of the database, and no writer makes it begin again.
    errno = 0;
    const int stepped = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE) return abandon(sqlite_error(to->get(), stepped));
    if (finished != SQLITE_OK) return abandon(sqlite_error(to->get(), finished));
  }
  {
    const Descriptor file(::open(partial.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return abandon(file_error(errno, "open " + partial));
    if (auto synced = sync_file(file.get(), partial); !synced) return abandon(std::move(synced.error()));
  }
  if (std::rename(partial.c_str(), path.c_str()) != 0) return abandon(file_error(errno, "rename to " + path));
  return sync_folder(folder.empty() ? "." : folder);
}

}  // namespace syncline::store
