// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The tables, and how an older database is brought to them: a list of steps, each from one version to the
// next.
#include <span>
#include <string>

#include "store/connection.hpp"

namespace syncline::store {

/// From version `to` − 1 to `to`. Version 0 is an empty file.
struct Migration {
  int to;
  Sql sql;
};

/// Of this program, ascending without gaps; the last one is Store::schema_version.
std::span<const Migration> migrations() noexcept;

/// Stands in the file's header (PRAGMA application_id), so that another program's database is not taken for
/// ours.
constexpr std::int64_t application_id = 0x53594e43;  // "SYNC"

struct SchemaVersion {
  int version = 0;
  bool empty = false;  ///< a database without any table
};
/// Errors: "store-damaged": not ours, or no database at all.
Result<SchemaVersion> read_schema_version(sqlite3* handle);

/// Applies what is missing, all of it in one transaction. An older database is copied to `path`.before-N
/// first; nothing of it happens if that fails. Errors: "newer-schema".
Result<void> migrate(sqlite3* handle, const std::string& path, std::span<const Migration> steps,
                     DurableWrites* writes);

/// How `newer` is told, with what to do about it.
Error newer_schema(const std::string& path, int newer, int ours);

}  // namespace syncline::store
