// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// SQLite's C API for the files of this folder: a connection with its prepared statements, one run of a
// statement, and its errors in the store's words.
#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/store.hpp"

namespace syncline::store {

/// A string literal: its address is the statement's name in the cache.
using Sql = const char*;

/// Unique constraints come as "already-there", foreign keys as "no-reference"; the caller knows what they
/// mean.
Error sqlite_error(sqlite3* handle, int code, std::string_view doing = "");

struct CloseConnection {
  void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
};
using Handle = std::unique_ptr<sqlite3, CloseConnection>;

/// Octets, not text.
struct Blob {
  std::string_view octets;
};

/// A connection to the database. One thread at a time.
class Transaction::Impl {
 public:
  Impl(Handle handle, const Clock& clock) : handle_(std::move(handle)), clock_(clock) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  sqlite3* handle() const noexcept { return handle_.get(); }
  SystemTime now() const { return clock_.now(); }

  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool in_use = false;
  };
  /// Error: SQLite's.
  Result<Cached*> cached(Sql sql);

  /// Forgets what is known of the transaction before.
  void begin_anew() noexcept {
    last_change = std::nullopt;
    folder_of_last_link = std::nullopt;
  }
  /// Known within a write transaction, so that it is asked for once.
  std::optional<std::int64_t> last_change = std::nullopt;
  struct KnownFolder {
    std::int64_t mailbox;
    std::string name;
    std::int64_t id;
  };
  std::optional<KnownFolder> folder_of_last_link = std::nullopt;
  /// Memory for fields' JSON, used again.
  std::string json;

 private:
  Handle handle_;
  const Clock& clock_;
  std::unordered_map<const void*, Cached> statements_;
};

/// One run of a statement: bind, step through the rows, reset.
class Query {
 public:
  /// Copies texts.
  template <class... Values>
  Query(Transaction::Impl& connection, Sql sql, const Values&... values)
      : Query(connection, sql, Copy{true}) {
    bind_all(values...);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  /// true: a row is there to be read.
  Result<bool> next();

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  bool boolean(int column) const { return integer(column) != 0; }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  /// Valid until the next step.
  std::string_view view(int column) const;
  std::string text(int column) const { return std::string(view(column)); }
  SystemTime time(int column) const { return SystemTime(std::chrono::milliseconds(integer(column))); }
  std::optional<SystemTime> optional_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional(time(column));
  }

 private:
  template <class... Values>
  friend Result<void> execute(Transaction::Impl& connection, Sql sql, const Values&... values);
  struct Copy {
    bool texts;
  };
  Query(Transaction::Impl& connection, Sql sql, Copy copy);

  template <class... Values>
  void bind_all(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
  }
  void bind(int index, std::int64_t value);
  void bind(int index, std::string_view value);
  void bind(int index, Blob value);
  void bind_null(int index);
  void bind(int index, const char* value) { bind(index, std::string_view(value)); }
  void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
  void bind(int index, SystemTime value) { bind(index, std::int64_t{value.time_since_epoch().count()}); }
  template <class Integer>
  requires(std::integral<Integer> && !std::same_as<Integer, std::int64_t>) void bind(int index,
                                                                                     Integer value) {
    bind(index, static_cast<std::int64_t>(value));
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void bind(int index, Enum value) { bind(index, static_cast<std::int64_t>(value)); }
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    if (value)
      bind(index, *value);
    else
      bind_null(index);
  }
  void note(int code) {
    if (code_ == SQLITE_OK) code_ = code;
  }

  Transaction::Impl& connection_;
  Transaction::Impl::Cached* cached_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  bool copy_texts_ = true;
  int code_ = SQLITE_OK;
};

/// Runs a statement that gives no rows, or whose rows do not matter.
template <class... Values>
Result<void> execute(Transaction::Impl& connection, Sql sql, const Values&... values) {
  Query query(connection, sql, Query::Copy{false});
  query.bind_all(values...);
  const Result<bool> stepped = query.next();
  if (!stepped) return fail(stepped.error());
  return {};
}

/// Rows that the last statement changed.
inline std::int64_t changed_rows(Transaction::Impl& connection) {
  return sqlite3_changes64(connection.handle());
}

/// 0 stands for "none" in our structures, NULL in the tables.
inline std::optional<std::int64_t> null_if_zero(std::int64_t id) {
  return id == 0 ? std::nullopt : std::optional(id);
}

/// Every row as `read(query)` makes it: Row or Result<Row>.
template <class Row, class Read>
Result<std::vector<Row>> read_all(Query& query, const Read& read) {
  std::vector<Row> rows;
  for (;;) {
    const Result<bool> row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return rows;
    if constexpr (std::is_same_v<std::invoke_result_t<const Read&, const Query&>, Result<Row>>) {
      Result<Row> one = read(query);
      if (!one) return fail(std::move(one.error()));
      rows.push_back(std::move(*one));
    } else {
      rows.push_back(read(query));
    }
  }
}

/// The first row, if there is one.
template <class Row, class Read>
Result<std::optional<Row>> read_one(Query& query, const Read& read) {
  const Result<bool> row = query.next();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<Row>();
  if constexpr (std::is_same_v<std::invoke_result_t<const Read&, const Query&>, Result<Row>>) {
    Result<Row> one = read(query);
    if (!one) return fail(std::move(one.error()));
    return std::optional<Row>(std::move(*one));
  } else {
    return std::optional<Row>(read(query));
  }
}

enum class Access {
  read_write,
  read_only,  ///< beside writers
  immutable,  ///< of a file that nobody changes, in a folder where nothing can be written
};
/// Opens the file, which must exist; sets nothing.
Result<Handle> open_database(const std::string& path, Access access);
/// Runs statements without results, outside the cache.
Result<void> run_script(sqlite3* handle, const char* sql);
Result<std::int64_t> pragma_integer(sqlite3* handle, const char* sql);
/// Copies the whole database, as it is at one moment, to a file that gets its name when all of it is on the
/// disk.
Result<void> copy_database(sqlite3* from, const std::string& path);

}  // namespace syncline::store
